"""A log that a test can read."""

import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from entrypoints.lines import Lines
from entrypoints.logging import OURS, Log, set_up


class Stream(io.BytesIO):
    """Each line is read once, however often they are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: list[dict[str, Any]] = []
        self._read = 0

    @property
    def text(self) -> str:
        return self.getvalue().decode()

    @property
    def lines(self) -> list[dict[str, Any]]:
        whole = self.getvalue().rfind(b"\n") + 1
        self._lines += [json.loads(line) for line in self.getvalue()[self._read : whole].splitlines()]
        self._read = max(whole, self._read)
        return list(self._lines)


@contextmanager
def logging_to(stream: Stream, *, pretty: bool = False, level: str = "info") -> Iterator[Log]:
    """Logging belongs to the whole process: afterwards it is as it was."""
    root = logging.getLogger()
    handlers, root_level, shown = root.handlers[:], root.level, warnings.showwarning
    for handler in handlers:
        root.removeHandler(handler)
    log = set_up(Lines(stream), pretty=pretty, level=level)
    try:
        yield log
    finally:
        log.close()
        logging.captureWarnings(capture=False)
        warnings.showwarning = shown
        structlog.reset_defaults()
        for name in OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)
        root.handlers[:] = handlers
        root.setLevel(root_level)
