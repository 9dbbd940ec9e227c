"""One log for all of a process: ours, the libraries', and a line for each request.

Modules log through the standard library or structlog; the lines are JSON, or for people where they read along
at a terminal. Tracebacks are written without the values of variables.
"""

import json
import logging
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from domain.ids import WorkspaceId, workspace_text
from entrypoints.lines import Lines

OURS = ("domain", "application", "adapters", "entrypoints")
# For granian's `log_dictconfig`: it sets up its own loggers, on standard output, unless told otherwise.
GRANIAN = {"handlers": {}, "formatters": {}, "loggers": {"_granian": {"propagate": True}}}
_FAILED = 500
_workspace_text = lru_cache(10_000)(workspace_text)


@dataclass(slots=True)
class Facts:
    """What the lines of a request have in common. ``reservation`` is its public id, ``code`` a problem's."""

    request_id: str
    workspace: WorkspaceId | None = None
    reservation: str | None = None
    code: str | None = None

    def add_to(self, line: EventDict) -> None:
        line["request_id"] = self.request_id
        if self.workspace is not None:
            line["workspace"] = _workspace_text(self.workspace)
        if self.reservation is not None:
            line["reservation"] = self.reservation
        if self.code is not None:
            line["code"] = self.code


current: ContextVar[Facts | None] = ContextVar("facts", default=None)


def note(
    *, workspace: WorkspaceId | None = None, reservation: str | None = None, code: str | None = None
) -> None:
    """Have the lines of the request that is being served name these. Outside of a request: nothing."""
    facts = current.get()
    if facts is not None:
        facts.workspace = workspace or facts.workspace
        facts.reservation = reservation or facts.reservation
        facts.code = code or facts.code


class Log:
    """To be closed at the end; and a short way for the lines of requests, as each request pays for one."""

    def __init__(self, lines: Lines, render: Callable[[EventDict], bytes]) -> None:
        self._lines = lines
        self._render = render
        self._second = (0, "")

    def access(self, facts: Facts, *, method: str, route: str, status: int, seconds: float) -> None:
        line: EventDict = {
            "timestamp": self._now(),
            "level": "info" if status < _FAILED else "error",
            "event": "request",
            "method": method,
            "route": route,
            "status": status,
            "duration_ms": round(seconds * 1000, 3),
        }
        facts.add_to(line)
        self._lines.write(self._render(line))

    def _now(self) -> str:
        second, micros = divmod(time.time_ns() // 1000, 1_000_000)
        if second != self._second[0]:
            self._second = (second, datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S"))
        return f"{self._second[1]}.{micros:06}Z"

    def close(self) -> None:
        self._lines.close()


def set_up(lines: Lines, *, pretty: bool, level: str = "info") -> Log:
    """From now on all that is logged in this process goes to ``lines``.

    Our own modules are heard from ``level`` on, the libraries from warnings on.
    """
    head: list[Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        _add_facts,
    ]
    console = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    tail: list[Processor] = [console] if pretty else [structlog.processors.format_exc_info, _as_json]
    handler = _Handler(lines)
    handler.setFormatter(
        ProcessorFormatter(
            foreign_pre_chain=head,
            processors=[ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *head, ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())
    logging.captureWarnings(capture=True)
    return Log(lines, (lambda line: str(console(None, "", line)).encode()) if pretty else _json)


class _Handler(logging.Handler):
    def __init__(self, lines: Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._lines.write(self.format(record).encode(errors="backslashreplace"))
        except Exception:  # noqa: BLE001 - a line that cannot be written must not fail what it tells of
            self.handleError(record)


def _add_facts(_logger: WrappedLogger, _name: str, line: EventDict) -> EventDict:
    facts = current.get()
    if facts is not None:
        facts.add_to(line)
    return line


def _as_json(_logger: WrappedLogger, _name: str, line: EventDict) -> str:
    return _json(line).decode()


_encoder = msgspec.json.Encoder(enc_hook=repr)


def _json(line: EventDict) -> bytes:
    try:
        return _encoder.encode(line)
    except (UnicodeEncodeError, TypeError):  # an unpaired surrogate, a key that is no string
        return json.dumps(line, default=repr, skipkeys=True).encode()
