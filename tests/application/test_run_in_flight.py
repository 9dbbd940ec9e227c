"""The caller hangs up, or the server stops: every run is settled all the same."""

import asyncio
import gc
import logging

import pytest

from domain.credits import MICRO
from domain.features.errors import ModelFailed, ServerStopping
from domain.usage.reservation import State
from tests.fakes.runs import Stage, opened

UNTOUCHED = (1000 * MICRO, 0, 0)
LONG = 30.0


async def hung_up(stage: Stage, *, key: str | None = None) -> None:
    """Somebody asks, and is gone by the time the model answers."""
    stage.model.gate.clear()
    caller = stage.in_background(key=key)
    await stage.model.asked.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert len(stage.in_flight) == 1


async def test_who_hangs_up_is_charged_for_what_was_used() -> None:
    stage = await opened()
    await hung_up(stage)
    stage.model.gate.set()
    await stage.in_flight.drain(LONG)
    assert stage.reservation.state is State.COMMITTED
    assert stage.books == (998 * MICRO, 0, 2 * MICRO)
    assert len(stage.in_flight) == 0


async def test_who_hung_up_can_have_the_answer_with_his_key() -> None:
    stage = await opened()
    await hung_up(stage, key="k1")
    stage.model.gate.set()
    await stage.in_flight.drain(LONG)
    result = await stage.run(key="k1")
    assert (result.replayed, result.output) == (True, {"text": "hi"})


async def test_a_failure_that_nobody_waits_for_costs_nothing_and_is_no_news(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = await opened()
    await hung_up(stage)
    stage.model.answer = ModelFailed(500)
    stage.model.gate.set()
    await stage.in_flight.drain(LONG)
    gc.collect()
    assert stage.books == UNTOUCHED
    assert caplog.records == []


async def test_a_mistake_that_nobody_waits_for_is_told_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    stage = await opened()
    await hung_up(stage)
    stage.model.answer = RuntimeError("a bug")
    stage.model.gate.set()
    await stage.in_flight.drain(LONG)
    gc.collect()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.exc_info is not None
    assert stage.books == UNTOUCHED


async def test_a_server_that_stops_gives_back_what_takes_too_long() -> None:
    stage = await opened()
    stage.model.gate.clear()
    caller = stage.in_background()
    await stage.model.asked.wait()
    await stage.in_flight.drain(0)
    assert stage.books == UNTOUCHED
    assert stage.reservation.state is State.RELEASED
    with pytest.raises(ServerStopping):
        await caller


async def test_a_server_that_stops_cuts_off_what_nobody_waits_for(caplog: pytest.LogCaptureFixture) -> None:
    stage = await opened()
    await hung_up(stage)
    await stage.in_flight.drain(0)
    assert stage.books == UNTOUCHED
    assert caplog.records == []


async def test_a_server_without_runs_stops_at_once() -> None:
    stage = await opened()
    await stage.in_flight.drain(LONG)
    assert stage.away.asked == []
