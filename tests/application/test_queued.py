"""What was queued is run by a worker, told of, looked at, and ended by its owner."""

import asyncio
import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

import application.features.execute as module
from application.features.queued import EndQueuedRun, LookAtRuns, Queued, Wanted
from domain.credits import MICRO
from domain.events import NotYet
from domain.features.errors import InvalidInput, ModelFailed, ModelRefused
from domain.features.run import Finish
from domain.ids import AccountId, BatchId, ReservationId
from domain.usage.limits import RateLimited
from domain.usage.queue import BeginRun
from domain.usage.queued_run import (
    LEASE,
    QueuedRun,
    RunEnded,
    RunMissing,
    RunNotEnded,
    RunQueued,
    RunState,
)
from domain.usage.simulate import Simulate, SimulationRefused
from tests.fakes.catalog import FakeCatalog
from tests.fakes.features import a_feature, said
from tests.fakes.runs import AT, Stage, opened
from tests.servers import eventually

UNTOUCHED = (1000 * MICRO, 0, 0)


async def queued(stage: Stage, text: object = "hello", *, key: str | None = None) -> QueuedRun:
    found = await stage.queue.one(
        stage.customer, "echo", {"text": text}, idempotency_key=key, simulate=None, notify=False
    )
    return found.run


async def batch(stage: Stage, *texts: object, key: str | None = None) -> Queued:
    documents = [{"text": text} for text in texts]
    return await stage.queue.many(stage.customer, "echo", documents, idempotency_key=key, notify=False)


def event(run: QueuedRun) -> RunQueued:
    return RunQueued(account=run.account, run=run.id, feature=run.feature, workspace=run.workspace)


async def now(stage: Stage, run: QueuedRun) -> QueuedRun:
    return await stage.queued_runs.get(run.account, run.id)


@pytest.fixture
async def stage() -> Stage:
    return await opened()


async def test_a_worker_runs_it_and_charges_what_it_used(stage: Stage) -> None:
    run = await queued(stage)
    assert stage.books[1] > 0
    await stage.execute(event(run))
    done = await now(stage, run)
    assert (done.state, done.charged) == (RunState.DONE, 2 * MICRO)
    assert json.loads(done.outcome or "")["output"] == {"text": "hi"}
    assert stage.books == (998 * MICRO, 0, 2 * MICRO)
    await stage.execute(event(run))
    assert (len(stage.model.calls), await now(stage, run)) == (1, done)


@pytest.mark.parametrize("answer", [ModelFailed(503), said("no", finish=Finish.REFUSED), said("no JSON")])
async def test_one_that_fails_says_why_and_charges_nothing(stage: Stage, answer: object) -> None:
    stage.model.answer = answer  # type: ignore[assignment] # either
    run = await queued(stage)
    await stage.execute(event(run))
    failed = await now(stage, run)
    assert (failed.state, failed.charged, stage.books) == (RunState.FAILED, 0, UNTOUCHED)
    assert "nothing was charged" in str(failed.failure)


async def test_one_whose_feature_was_published_anew_fails_where_its_input_fits_no_more(stage: Stage) -> None:
    run = await queued(stage)
    strict = {**a_feature().input_schema, "properties": {"text": {"type": "integer"}}}
    anew = replace(stage.feature, version=2, input_schema=strict)
    stage.execute = replace(stage.execute, catalog=FakeCatalog.of(anew, stage.plan, at=AT))
    await stage.execute(event(run))
    failed = await now(stage, run)
    assert (failed.state, stage.model.calls, stage.books) == (RunState.FAILED, [], UNTOUCHED)


async def test_a_test_key_simulates_a_failure(stage: Stage) -> None:
    with pytest.raises(SimulationRefused):
        await stage.queue.one(
            stage.customer, "echo", {"text": "a"}, idempotency_key=None, simulate=Simulate.UPSTREAM_ERROR,
            notify=False,
        )  # fmt: skip
    stage.as_test()
    found = await stage.queue.one(
        stage.customer, "echo", {"text": "a"}, idempotency_key=None, simulate=Simulate.UPSTREAM_ERROR,
        notify=False,
    )  # fmt: skip
    await stage.execute(event(found.run))
    assert (await now(stage, found.run)).failure == str(ModelFailed())
    assert stage.model.calls == []


async def test_while_another_worker_has_it_it_waits(stage: Stage) -> None:
    run = await queued(stage)
    other = BeginRun(account=run.account, run=run.id, worker=uuid4(), lasts=timedelta(hours=1))
    await stage.ledger.execute(other)
    with pytest.raises(NotYet):
        await stage.execute(event(run))
    stage.clock.pass_by(seconds=LEASE.total_seconds())
    await stage.execute(event(run))
    assert (await now(stage, run)).attempts == 2


async def test_one_that_is_gone_is_nothing_to_do(stage: Stage) -> None:
    run = await queued(stage)
    gone = replace(event(run), run=ReservationId(uuid4()))
    await stage.execute(gone)
    assert stage.model.calls == []


async def test_a_worker_that_is_stopped_hands_it_back(stage: Stage) -> None:
    stage.model.gate.clear()
    run = await queued(stage)
    worker = asyncio.create_task(stage.execute(event(run)))
    await stage.model.asked.wait()
    worker.cancel()
    with pytest.raises(asyncio.CancelledError):
        await worker
    assert ((await now(stage, run)).state, (await now(stage, run)).attempts) == (RunState.QUEUED, 0)
    stage.model.gate.set()
    await stage.execute(event(run))
    assert stage.books == (998 * MICRO, 0, 2 * MICRO)


async def test_one_that_is_cancelled_while_the_model_is_at_work_ends_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.01))
    stage.model.gate.clear()
    run = await queued(stage)
    worker = asyncio.create_task(stage.execute(event(run)))
    await stage.model.asked.wait()
    await EndQueuedRun(stage.ledger, stage.queued_runs).cancel(stage.customer, run.account, run.id)
    await worker
    assert ((await now(stage, run)).state, stage.books) == (RunState.CANCELLED, UNTOUCHED)


async def test_one_that_is_gone_while_the_model_is_at_work_ends_there(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.01))
    stage.model.gate.clear()
    run = await queued(stage)
    worker = asyncio.create_task(stage.execute(event(run)))
    await stage.model.asked.wait()
    del stage.desk.runs[run.id]
    await worker


async def test_it_shows_how_far_it_is(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.01))
    stage.model.gate.clear()
    stage.model.said = 42
    run = await queued(stage)
    worker = asyncio.create_task(stage.execute(event(run)))

    async def shown() -> bool:
        return (await now(stage, run)).output_tokens == 42

    await eventually(shown)
    assert (await now(stage, run)).state is RunState.RUNNING
    stage.model.gate.set()
    await worker


async def test_what_the_model_said_is_kept_while_the_database_is_away(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LEASE", timedelta(seconds=0.01))
    monkeypatch.setattr(module, "AWAY_SECONDS", 0)
    stage.model.gate.clear()
    run = await queued(stage)
    worker = asyncio.create_task(stage.execute(event(run)))
    await stage.model.asked.wait()
    stage.away.times["KeepRun"] = 2

    async def kept() -> bool:
        return stage.away.asked.count("KeepRun") >= 3

    await eventually(kept)
    stage.away.times["EndRun"] = 3
    stage.model.gate.set()
    await worker
    assert ((await now(stage, run)).state, len(stage.model.calls)) == (RunState.DONE, 1)
    assert stage.books == (998 * MICRO, 0, 2 * MICRO)


async def test_a_beginning_whose_answer_was_lost_is_the_same_workers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AWAY_SECONDS", 0)
    run = await queued(stage)
    stage.away.times["BeginRun"] = 2
    stage.away.after.add("BeginRun")
    await stage.execute(event(run))
    done = await now(stage, run)
    assert (done.state, done.attempts, stage.books[2]) == (RunState.DONE, 1, 2 * MICRO)


async def test_a_fault_of_ours_charges_nothing_and_is_in_the_log(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    stage.model.answer = ZeroDivisionError("a bug")
    run = await queued(stage)
    await stage.execute(event(run))
    failed = await now(stage, run)
    assert (failed.state, stage.books) == (RunState.FAILED, UNTOUCHED)
    assert "nothing was charged" in str(failed.failure)
    assert "a bug" in caplog.text


async def test_a_repeat_is_the_same_run_though_the_limit_is_reached() -> None:
    stage = await opened(per_minute=1)
    first = await queued(stage, key="k")
    again = await stage.queue.one(
        stage.customer, "echo", {"text": "hello"}, idempotency_key="k", simulate=None, notify=False
    )
    assert (again.run, again.replayed, again.batch) == (first, True, None)
    with pytest.raises(RateLimited):
        await queued(stage, key="other")
    with pytest.raises(RateLimited):
        await queued(stage)


async def test_a_batch_says_which_inputs_are_wrong(stage: Stage) -> None:
    with pytest.raises(InvalidInput) as caught:
        await batch(stage, "a", 7, "b", 8)
    assert [each.path for each in caught.value.faults] == ["/1/text", "/3/text"]
    assert stage.books == UNTOUCHED


async def test_a_batch_is_run_and_counted(stage: Stage) -> None:
    found = await batch(stage, "a", "b", key="k")
    again = await batch(stage, "a", "b", key="k")
    assert found.batch is not None
    assert again.batch is not None
    assert (found.batch.open, again.batch.batch, again.replayed) == (2, found.batch.batch, True)
    for run in list(stage.desk.runs.values()):
        await stage.execute(event(run))
    look = LookAtRuns(stage.queued_runs)
    standing = await look.batch(stage.customer, found.run.account, found.batch.batch.id)
    assert (standing.open, standing.counts[RunState.DONE], standing.charged) == (0, 2, 4 * MICRO)


async def test_runs_are_looked_at_by_their_owner_alone(stage: Stage) -> None:
    run = await queued(stage)
    look, end = LookAtRuns(stage.queued_runs), EndQueuedRun(stage.ledger, stage.queued_runs)
    assert await look.one(stage.customer, run.account, run.id) == run
    page = await look.page(stage.customer, Wanted(), after=None, limit=1)
    assert ([each.id for each in page.items], page.more) == ([run.id], False)
    other = replace(stage.customer, account=AccountId(uuid4()))
    for ask in (
        look.one(other, run.account, run.id),
        look.batch(other, run.account, BatchId(uuid4())),
        look.batch(stage.customer, run.account, BatchId(uuid4())),
        end.cancel(other, run.account, run.id),
        end.erase(other, run.account, run.id),
    ):
        with pytest.raises(RunMissing):
            await ask


async def test_what_has_ended_is_deleted_by_its_owner_or_by_its_time(stage: Stage) -> None:
    end = EndQueuedRun(stage.ledger, stage.queued_runs)
    one, other = await queued(stage), await queued(stage)
    with pytest.raises(RunNotEnded):
        await end.erase(stage.customer, one.account, one.id)
    for run in (one, other):
        await stage.execute(event(run))
    with pytest.raises(RunEnded):
        await end.cancel(stage.customer, one.account, one.id)
    await end.erase(stage.customer, one.account, one.id)
    with pytest.raises(RunMissing):
        await now(stage, one)
    stage.clock.pass_by(days=7)
    with pytest.raises(RunMissing):
        await now(stage, other)


async def test_a_model_that_refuses_is_told_as_it_is_to_whoever_waits(stage: Stage) -> None:
    stage.model.answer = said("no", finish=Finish.REFUSED)
    run = await queued(stage)
    await stage.execute(event(run))
    assert (await now(stage, run)).failure == str(ModelRefused())


async def test_two_workers_at_once_are_one(stage: Stage) -> None:
    run = await queued(stage)
    outcomes = await asyncio.gather(*(stage.execute(event(run)) for _ in range(3)), return_exceptions=True)
    assert sum(isinstance(each, NotYet) for each in outcomes) == 2
    assert (len(stage.model.calls), stage.books[2]) == (1, 2 * MICRO)


async def test_one_that_is_lost_to_another_worker_while_the_model_is_at_work_is_that_ones(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage.model.gate.clear()
    run = await queued(stage)
    worker = asyncio.create_task(stage.execute(event(run)))
    await stage.model.asked.wait()
    del stage.desk.runs[run.id]
    stage.model.gate.set()
    await worker
    assert stage.books[2] == 0
