"""The log of a process: every line, whoever writes it."""

import io
import logging
import os
import warnings
from collections.abc import Iterator
from uuid import uuid4

import pytest
import structlog

from domain.ids import WorkspaceId, workspace_text
from entrypoints.lines import Lines
from entrypoints.logging import Facts, Log, current, note
from tests.http.logs import Stream, logging_to


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
def log(stream: Stream) -> Iterator[Log]:
    with logging_to(stream) as log:
        yield log


def test_lines_of_both_kinds_of_loggers_are_json_of_one_form(log: Log, stream: Stream) -> None:
    logging.getLogger("adapters.example").warning("batch of %d failed", 3)
    structlog.get_logger("entrypoints.example").info("started", port=8000)
    log.close()
    first, second = stream.lines
    assert first.pop("timestamp").endswith("Z")
    assert second.pop("timestamp").endswith("Z")
    assert first == {"event": "batch of 3 failed", "level": "warning", "logger": "adapters.example"}
    assert second == {
        "event": "started",
        "level": "info",
        "logger": "entrypoints.example",
        "port": 8000,
    }


def test_libraries_are_heard_from_warnings_on(log: Log, stream: Stream) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://example.com?secret=1")
    logging.getLogger("adapters.example").debug("too much detail")
    structlog.get_logger("entrypoints.example").debug("too much detail")
    logging.getLogger("httpx").warning("odd")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old fashioned", DeprecationWarning, stacklevel=1)
    log.close()
    assert [line["logger"] for line in stream.lines] == ["httpx", "py.warnings"]


def test_no_line_holds_a_key(log: Log, stream: Stream) -> None:
    key = "cbx_live_3Fq8Zr0aXkT9"
    logging.getLogger("adapters.example").error("refused %s", key)
    structlog.get_logger("entrypoints.example").warning(
        "refused", given=[key], url=f"https://x/?key={key}&a=b"
    )
    log.access(Facts(key), method="GET", route="/v1/balance", status=403, seconds=0.001)
    log.close()
    assert "3Fq8" not in stream.text
    assert stream.lines[0]["event"] == "refused cbx_live_***"
    assert stream.lines[1]["url"] == "https://x/?key=cbx_live_***&a=b"


def fail(prompt: str) -> None:
    raise RuntimeError(f"it broke after {len(prompt)} characters")


def test_a_traceback_shows_no_values(log: Log, stream: Stream) -> None:
    words = "own words"
    try:
        fail(words)
    except RuntimeError as error:
        logging.getLogger("adapters.example").exception("failed")
        structlog.get_logger("entrypoints.example").error("failed", exc_info=error)
    log.close()
    for line in stream.lines:
        assert "in fail" in line["exception"]
        assert "RuntimeError: it broke after 9 characters" in line["exception"]
        assert "own words" not in line["exception"]  # the call shows its name for them


def test_the_lines_of_a_request_name_it_and_what_it_is_about(log: Log, stream: Stream) -> None:
    workspace = WorkspaceId(uuid4())
    facts = Facts("req_1")
    token = current.set(facts)
    note(workspace=workspace)
    note(reservation="rsv_1", code="insufficient_credits")
    logging.getLogger("adapters.example").warning("here")
    log.access(facts, method="POST", route="/v1/reservations", status=402, seconds=0.0123)
    current.reset(token)
    note(workspace=workspace)
    logging.getLogger("adapters.example").warning("there")
    log.close()
    here, line, there = stream.lines
    about = {
        "request_id": "req_1",
        "workspace": workspace_text(workspace),
        "reservation": "rsv_1",
        "code": "insufficient_credits",
    }
    assert about.items() <= here.items()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "level": "info",
        "event": "request",
        "method": "POST",
        "route": "/v1/reservations",
        "status": 402,
        "duration_ms": 12.3,
        **about,
    }
    assert "request_id" not in there


def test_what_json_cannot_hold_is_written_all_the_same(log: Log, stream: Stream) -> None:
    logging.getLogger("adapters.example").warning("unpaired \ud800")
    structlog.get_logger("entrypoints.example").warning("odd", value={1j}, key={("a", 1): 2})
    log.close()
    assert "unpaired" in stream.lines[0]["event"]
    assert stream.lines[1]["value"]


def test_a_line_that_cannot_be_made_fails_nobody(
    log: Log, stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging, "raiseExceptions", False)
    logging.getLogger("adapters.example").warning("%d calls", "many")
    logging.getLogger("adapters.example").warning("next")
    log.close()
    assert [line["event"] for line in stream.lines] == ["next"]


def test_people_get_lines_that_they_can_read(stream: Stream) -> None:
    with logging_to(stream, pretty=True, level="debug") as log:
        logging.getLogger("adapters.example").debug("batch of %d", 3)
        try:
            fail("words")
        except RuntimeError:
            logging.getLogger("adapters.example").exception("failed")
        log.access(Facts("req_1"), method="GET", route="/health/live", status=503, seconds=0.001)
    assert "batch of 3" in stream.text
    assert "RuntimeError: it broke after 5 characters" in stream.text
    assert "/health/live" in stream.text
    assert not stream.text.startswith("{")


def test_a_reader_that_went_away_fails_nobody() -> None:
    class Broken(io.BytesIO):
        def write(self, _: object) -> int:
            raise BrokenPipeError

    lines = Lines(Broken())
    lines.write(b"hello")
    lines.close()


def test_lines_go_out_by_themselves() -> None:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as stream, os.fdopen(read, "rb") as reader:
        lines = Lines(stream)
        lines.write(b"one")
        lines.write(b"two")
        assert reader.readline() == b"one\n"
        assert reader.readline() == b"two\n"
        lines.close()
