"""One idempotency key is one run, one charge, one answer."""

import asyncio
from dataclasses import replace

import pytest

from domain.credits import MICRO
from domain.errors import DatabaseUnavailable
from domain.features.errors import ModelFailed, RunInProgress, RunInterrupted
from domain.usage.errors import RequestKeyReused
from domain.usage.limits import RateLimited
from domain.usage.reservation import State
from tests.fakes.runs import Stage, opened

UNTOUCHED = (1000 * MICRO, 0, 0)
ONCE = (998 * MICRO, 0, 2 * MICRO)


async def test_a_repeat_gets_the_first_answer() -> None:
    stage = await opened()
    first = await stage.run(key="k1")
    again = await stage.run(key="k1")
    assert again == replace(first, replayed=True)
    assert len(stage.model.calls) == 1
    assert stage.books == ONCE


async def test_another_key_is_another_run() -> None:
    stage = await opened()
    await stage.run(key="k1")
    assert not (await stage.run(key="k2")).replayed
    assert len(stage.model.calls) == 2


async def test_without_a_key_each_request_is_a_run() -> None:
    stage = await opened()
    await stage.run()
    assert not (await stage.run()).replayed
    assert "keep" not in stage.away.asked


async def test_a_repeat_with_another_input_is_refused() -> None:
    stage = await opened()
    await stage.run("hello", key="k1")
    with pytest.raises(RequestKeyReused):
        await stage.run("bye", key="k1")


async def test_a_repeat_with_a_test_key_is_refused() -> None:
    stage = await opened()
    await stage.run(key="k1")
    stage.as_test()
    with pytest.raises(RequestKeyReused):
        await stage.run(key="k1")


async def test_a_repeat_of_a_failure_fails_in_the_same_way() -> None:
    stage = await opened()
    stage.model.answer = ModelFailed(503)
    for _ in range(2):
        with pytest.raises(ModelFailed) as failure:
            await stage.run(key="k1")
        assert failure.value.upstream_status == 503
    assert len(stage.model.calls) == 1
    assert stage.books == UNTOUCHED


async def test_a_repeat_while_the_first_goes_on_is_told_so() -> None:
    stage = await opened()
    stage.model.gate.clear()
    first = stage.in_background(key="k1")
    await stage.model.asked.wait()
    with pytest.raises(RunInProgress):
        await stage.run(key="k1")
    stage.model.gate.set()
    assert (await first).charged == 2 * MICRO


async def test_fifty_at_once_are_one_run() -> None:
    stage = await opened()
    outcomes = await asyncio.gather(*(stage.run(key="k1") for _ in range(50)), return_exceptions=True)
    answered = [each for each in outcomes if not isinstance(each, BaseException)]
    assert answered
    assert all(isinstance(each, RunInProgress) for each in outcomes if isinstance(each, BaseException))
    assert sum(not each.replayed for each in answered) == 1
    assert len(stage.model.calls) == 1
    assert stage.books == ONCE


async def test_a_repeat_gets_the_first_answer_though_the_limit_is_used_up() -> None:
    stage = await opened(per_minute=1)
    first = await stage.run(key="k1")
    again = await stage.run(key="k1")
    assert (again.replayed, again.output) == (True, first.output)
    assert [each.remaining for each in again.standings] == [0]
    for key in ("k2", None):
        with pytest.raises(RateLimited):
            await stage.run(key=key)
    assert len(stage.model.calls) == 1
    assert stage.books == ONCE


async def test_a_repeat_beyond_the_limit_is_told_that_the_first_goes_on() -> None:
    stage = await opened(per_minute=1)
    stage.model.gate.clear()
    first = stage.in_background(key="k1")
    await stage.model.asked.wait()
    with pytest.raises(RunInProgress):
        await stage.run(key="k1")
    stage.model.gate.set()
    assert (await first).charged == 2 * MICRO


async def test_a_request_that_the_ledger_sends_twice_is_not_its_own_repeat() -> None:
    stage = await opened()
    stage.away.twice.add("Begin")
    result = await stage.run(key="k1")
    assert not result.replayed
    assert stage.books == ONCE


async def crashed_before_its_settlement(stage: Stage, settlement: str) -> None:
    stage.away.times[settlement] = 3
    with pytest.raises(DatabaseUnavailable):
        await stage.run(key="k1")
    assert stage.reservation.state is State.STARTED


async def test_after_a_crash_before_the_charge_the_repeat_charges() -> None:
    stage = await opened()
    await crashed_before_its_settlement(stage, "Commit")
    result = await stage.run(key="k1")
    assert (result.replayed, result.charged) == (True, 2 * MICRO)
    assert stage.books == ONCE


async def test_after_a_crash_before_the_release_the_repeat_releases() -> None:
    stage = await opened()
    stage.model.answer = ModelFailed(500)
    await crashed_before_its_settlement(stage, "Release")
    with pytest.raises(ModelFailed):
        await stage.run(key="k1")
    assert stage.reservation.state is State.RELEASED


async def test_a_failure_is_repeated_after_the_hold_has_ended_too() -> None:
    stage = await opened()
    stage.model.answer = ModelFailed(500)
    await crashed_before_its_settlement(stage, "Release")
    stage.clock.pass_by(minutes=1)
    with pytest.raises(ModelFailed):
        await stage.run(key="k1")
    assert stage.books == UNTOUCHED


async def test_an_answer_whose_hold_has_ended_is_not_given_away() -> None:
    stage = await opened()
    await crashed_before_its_settlement(stage, "Commit")
    stage.clock.pass_by(minutes=1)
    with pytest.raises(RunInterrupted):
        await stage.run(key="k1")
    assert stage.books == UNTOUCHED


async def test_a_run_whose_process_died_is_interrupted_once_its_hold_has_ended() -> None:
    stage = await opened()
    stage.away.times["Begin"] = 1
    stage.away.after.add("Begin")
    with pytest.raises(DatabaseUnavailable):
        await stage.run(key="k1")
    with pytest.raises(RunInProgress):
        await stage.run(key="k1")
    stage.clock.pass_by(minutes=1)
    with pytest.raises(RunInterrupted):
        await stage.run(key="k1")
    assert stage.books == UNTOUCHED
