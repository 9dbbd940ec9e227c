import sys
from collections.abc import Iterator
from contextlib import contextmanager

from entrypoints.lines import Lines
from entrypoints.logging import Log, set_up


@contextmanager
def logged(level: str) -> Iterator[Log]:
    """Lines go to standard error: JSON, or, at a terminal, for people."""
    log = set_up(Lines(sys.stderr.buffer), pretty=sys.stderr.isatty(), level=level)
    try:
        yield log
    finally:
        log.close()
