"""A run goes wrong: the hold is given back, nothing is charged, and the caller is told what it was."""

import pytest

from domain.credits import MICRO
from domain.errors import DatabaseUnavailable
from domain.features.errors import (
    ModelFailed,
    ModelLate,
    ModelRefused,
    OutputInvalid,
    OutputTruncated,
    OutputUnaffordable,
    RunFailure,
    RunInterrupted,
)
from domain.features.run import Completion, Finish
from domain.usage.reservation import State
from tests.fakes.features import a_feature, said
from tests.fakes.runs import Stage, opened

UNTOUCHED = (1000 * MICRO, 0, 0)


def untouched(stage: Stage) -> bool:
    return stage.books == UNTOUCHED and stage.reservation.state is State.RELEASED and not stage.desk.records


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        pytest.param(ModelFailed(500), ModelFailed(500), id="fails"),
        pytest.param(said("", finish=Finish.REFUSED), ModelRefused(), id="refuses"),
        pytest.param(said('{"te', finish=Finish.CUT_OFF), OutputTruncated(100), id="is cut off"),
        pytest.param(said("I think that"), OutputInvalid("", "it is not JSON"), id="says no JSON"),
        pytest.param(
            said('{"text": 7}'),
            OutputInvalid("/text", 'the value is not of type "string"'),
            id="breaks the schema",
        ),
    ],
)
@pytest.mark.parametrize("key", [None, "k1"])
async def test_a_model_that_goes_wrong_costs_nothing(
    answer: Completion | ModelFailed, failure: RunFailure, key: str | None
) -> None:
    stage = await opened()
    stage.model.answer = answer
    with pytest.raises(type(failure)) as raised:
        await stage.run(key=key)
    assert str(raised.value) == str(failure)
    assert untouched(stage)


async def test_a_model_that_takes_too_long_costs_nothing() -> None:
    stage = await opened(a_feature(timeout=0))
    stage.model.gate.clear()
    with pytest.raises(ModelLate) as late:
        await stage.run()
    assert late.value.seconds == 0
    assert untouched(stage)


async def test_an_answer_that_the_credits_cut_off_is_not_the_models_fault() -> None:
    stage = await opened(granted=4)
    stage.model.answer = said('{"te', finish=Finish.CUT_OFF)
    with pytest.raises(OutputUnaffordable) as refusal:
        await stage.run()
    assert refusal.value.output_tokens == 30
    assert stage.books == (4 * MICRO, 0, 0)


async def test_a_mistake_of_ours_costs_nothing() -> None:
    stage = await opened()
    stage.model.answer = RuntimeError("a bug")
    with pytest.raises(RuntimeError, match="a bug"):
        await stage.run()
    assert untouched(stage)


async def test_a_mistake_is_told_even_where_the_hold_cannot_be_given_back() -> None:
    stage = await opened()
    stage.model.answer = RuntimeError("a bug")
    stage.away.times["Release"] = 9
    with pytest.raises(RuntimeError, match="a bug"):
        await stage.run()
    stage.clock.pass_by(minutes=1)
    stage.desk.open(stage.clock.now())
    assert stage.books == UNTOUCHED


async def test_a_database_that_is_away_refuses_a_run_before_it_begins() -> None:
    stage = await opened()
    stage.away.times["Begin"] = 1
    with pytest.raises(DatabaseUnavailable):
        await stage.run()
    assert stage.model.calls == []


@pytest.mark.parametrize("after", [False, True])
async def test_a_database_that_comes_back_in_time_charges_once(*, after: bool) -> None:
    stage = await opened()
    stage.away.times.update({"Commit": 2, "keep": 2})
    if after:
        stage.away.after |= {"Commit", "keep"}
    assert (await stage.run(key="k1")).charged == 2 * MICRO
    assert stage.away.asked == ["Begin", "keep", "keep", "keep", "Commit", "Commit", "Commit"]
    assert len(stage.desk.records) == 1


async def test_a_database_that_stays_away_leaves_the_hold_to_its_deadline() -> None:
    stage = await opened()
    stage.away.times["Commit"] = 3
    with pytest.raises(DatabaseUnavailable):
        await stage.run()
    stage.clock.pass_by(minutes=1)
    stage.desk.open(stage.clock.now())
    assert stage.books == UNTOUCHED


async def test_a_hold_that_ended_before_its_run_is_not_charged() -> None:
    stage = await opened()
    stage.model.gate.clear()
    running = stage.in_background()
    await stage.model.asked.wait()
    stage.clock.pass_by(minutes=1)
    stage.model.gate.set()
    with pytest.raises(RunInterrupted):
        await running
    assert stage.books == UNTOUCHED


async def test_an_outcome_that_cannot_be_kept_is_given_back() -> None:
    stage = await opened()
    stage.away.times["keep"] = 3
    with pytest.raises(DatabaseUnavailable):
        await stage.run(key="k1")
    assert untouched(stage)
    with pytest.raises(RunInterrupted):
        await stage.run(key="k1")
