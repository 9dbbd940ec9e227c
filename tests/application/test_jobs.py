"""A job runs for one process of many, and what it comes to is noted."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from application.actor import Operator
from application.jobs.ports import Ticks
from application.jobs.run import Job, JobTable, ListJobs, RunJob, RunJobNow
from domain.errors import DatabaseUnavailable
from domain.jobs.tick import OK, JobMissing, JobRunning, Tick, Timing
from domain.usage.errors import AccountMissing
from tests.fakes.clock import NOON, SetClock
from tests.fakes.meter import CountingMeter
from tests.fakes.ticks import FakeTicks
from tests.servers import eventually

HOUR = timedelta(hours=1)


async def nothing() -> Mapping[str, int]:
    return {}


@dataclass
class Shift:
    """Several workers that share a database. ``ran`` counts what they did."""

    clock: SetClock = field(default_factory=SetClock)
    rows: dict[str, Tick] = field(default_factory=dict)
    meter: CountingMeter = field(default_factory=CountingMeter)
    ran: int = 0

    def worker(
        self,
        work: Callable[[], Awaitable[Mapping[str, int]]] | None = None,
        *,
        by: str = "a",
        limit: timedelta = HOUR,
        lease: timedelta = HOUR,
        ticks: Ticks | None = None,
    ) -> RunJob:
        job = Job(name="count", timing=Timing(HOUR), limit=limit, work=work or self._count)  # type: ignore[arg-type]
        other = replace(job, name="other", work=nothing)
        ticks = ticks or FakeTicks(self.clock, self.rows, by=by)
        return RunJob(table=JobTable((job, other)), ticks=ticks, meter=self.meter, lease=lease)

    async def _count(self) -> Mapping[str, int]:
        self.ran += 1
        await asyncio.sleep(0)
        return {"counted": self.ran}


@pytest.fixture
def shift() -> Shift:
    return Shift()


async def test_of_ten_workers_one_runs_a_tick(shift: Shift) -> None:
    workers = [shift.worker(by=str(number)) for number in range(10)]
    ran = [each for each in await asyncio.gather(*(work("count") for work in workers)) if each]
    assert [(each.outcome, each.done, each.due_at) for each in ran] == [(OK, {"counted": 1}, NOON)]
    assert (shift.ran, shift.meter.jobs) == (1, [("count", OK)])
    assert await workers[0]("count") is None


async def test_ticks_that_were_missed_run_once(shift: Shift) -> None:
    run = shift.worker()
    await run("count")
    shift.clock.pass_by(5 * HOUR + timedelta(minutes=20))
    ran = await run("count")
    assert ran is not None
    assert ran.due_at == NOON + 5 * HOUR
    assert await run("count") is None
    assert shift.ran == 2


async def test_what_fails_is_noted_and_stops_nothing_else(
    shift: Shift, caplog: pytest.LogCaptureFixture
) -> None:
    async def missing() -> Mapping[str, int]:
        raise AccountMissing

    async def broken() -> Mapping[str, int]:
        raise RuntimeError("a bug")

    ran = await shift.worker(missing)("count")
    assert ran is not None
    assert ran.outcome == "AccountMissing [account_missing]"
    assert (await shift.worker(missing)("other")) is not None
    shift.clock.pass_by(HOUR)
    ran = await shift.worker(broken)("count")
    assert ran is not None
    assert ran.outcome == "RuntimeError"
    assert shift.rows["count"].failures == 2
    assert "job count failed: RuntimeError" in caplog.text
    assert shift.meter.jobs[-1] == ("count", "RuntimeError")


async def test_what_takes_too_long_is_cut_off(shift: Shift) -> None:
    cut = asyncio.Event()

    async def slow() -> Mapping[str, int]:
        try:
            await asyncio.Event().wait()
        finally:
            cut.set()
        return {}

    ran = await shift.worker(slow, limit=timedelta(seconds=0.01))("count")
    assert ran is not None
    assert ran.outcome == "JobTooSlow [job_too_slow]"
    assert cut.is_set()


async def test_a_dead_workers_tick_is_taken_over(shift: Shift) -> None:
    dead = FakeTicks(shift.clock, shift.rows, by="dead")
    await dead.claim("count", Timing(HOUR), lease=timedelta(minutes=1))
    run = shift.worker()
    assert await run("count") is None
    shift.clock.pass_by(timedelta(minutes=1))
    assert await run("count") is not None


async def test_a_long_job_keeps_its_tick_and_one_that_lost_it_stops(shift: Shift) -> None:
    started = asyncio.Event()

    async def long() -> Mapping[str, int]:
        started.set()
        await asyncio.Event().wait()
        return {}

    task = asyncio.create_task(shift.worker(long, lease=timedelta(seconds=0.03))("count"))
    await started.wait()
    first = shift.rows["count"]
    shift.clock.pass_by(timedelta(seconds=1))

    async def extended() -> bool:
        return shift.rows["count"].claimed_until != first.claimed_until

    await eventually(extended)
    shift.rows["count"] = shift.rows["count"].claim(NOON, NOON + HOUR, by="b", lease=HOUR)
    ran = await task
    assert ran is not None
    assert ran.outcome == "TickLost [tick_lost]"
    assert shift.rows["count"].claimed_by == "b"
    assert shift.rows["count"].outcome is None


class Shaky(FakeTicks):
    away = True

    async def extend(self, tick: Tick, *, lease: timedelta) -> bool:
        if self.away:
            self.away = False
            raise DatabaseUnavailable
        return False


async def test_an_extension_that_the_database_did_not_hear_is_tried_again(
    shift: Shift, caplog: pytest.LogCaptureFixture
) -> None:
    async def long() -> Mapping[str, int]:
        await asyncio.Event().wait()
        return {}

    shaky = Shaky(shift.clock, shift.rows, by="a")
    ran = await shift.worker(long, lease=timedelta(seconds=0.03), ticks=shaky)("count")
    assert ran is not None
    assert ran.outcome == "TickLost [tick_lost]"
    assert "could not be extended" in caplog.text


async def test_a_cancelled_one_gives_its_tick_back(shift: Shift) -> None:
    started = asyncio.Event()

    async def long() -> Mapping[str, int]:
        started.set()
        await asyncio.Event().wait()
        return {}

    task = asyncio.create_task(shift.worker(long)("count"))
    await started.wait()
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert await shift.worker(by="b")("count") is not None


async def test_the_operator_runs_one_now_and_sees_them_all(shift: Shift) -> None:
    run = shift.worker()
    now, listed = RunJobNow(run), ListJobs(run.table, run.ticks)
    assert [(each.tick, each.next_at) for each in await listed(Operator())] == [(None, NOON)] * 2
    for count in (1, 2):
        assert (await now(Operator(), "count")).done == {"counted": count}
    count_, other = await listed(Operator())
    assert (count_.next_at, count_.running, other.next_at) == (NOON + HOUR, False, NOON)
    await run.ticks.claim("count", Timing(HOUR), lease=HOUR, early=True)
    with pytest.raises(JobRunning):
        await now(Operator(), "count")
    assert [each.running for each in await listed(Operator())] == [True, False]
    with pytest.raises(JobMissing):
        await now(Operator(), "nothing")
