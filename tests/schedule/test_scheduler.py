"""Workers that ask for what is due, over one database."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Self
from uuid import uuid4

import apscheduler.schedulers.base  # type: ignore[import-untyped] # it ships none
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.ticks import SqlTicks
from application.jobs.ports import Ticks, Work
from application.jobs.run import Job, JobTable, RunJob
from domain.errors import DatabaseUnavailable
from domain.jobs.tick import OK, Tick, Timing
from entrypoints.schedule import scheduler
from entrypoints.schedule.scheduler import keep_asking, schedule
from tests.fakes.meter import CountingMeter
from tests.servers import eventually
from tests.shop import services_on

DAY = timedelta(days=1)


class Asking(SqlTicks):
    """``asked`` for which jobs."""

    def __init__(self, engine: AsyncEngine, *, by: str) -> None:
        super().__init__(engine, by=by)
        self.asked: list[str] = []

    async def claim(self, job: str, timing: Timing, *, lease: timedelta, early: bool = False) -> Tick | None:
        claimed = await super().claim(job, timing, lease=lease, early=early)
        self.asked.append(job)
        return claimed

    async def often(self) -> bool:
        return len(self.asked) > 6


@dataclass
class Works:
    """Jobs whose names nobody else has, and how often each has run."""

    engine: AsyncEngine
    count: int = 0
    name: str = field(default_factory=lambda: f"count_{uuid4().hex}")
    broken: str = field(default_factory=lambda: f"broken_{uuid4().hex}")

    def worker(self, by: str, work: Work | None = None, ticks: Ticks | None = None) -> RunJob:
        async def run() -> Mapping[str, int]:
            self.count += 1
            return {}

        async def fail() -> Mapping[str, int]:
            raise RuntimeError("a bug")

        jobs = [
            Job(name=name, timing=Timing(DAY), limit=DAY, work=each)
            for name, each in ((self.broken, fail), (self.name, work or run))
        ]
        ticks = ticks or SqlTicks(self.engine, by=by)
        return RunJob(table=JobTable(tuple(jobs)), ticks=ticks, meter=CountingMeter())

    async def tick(self, name: str) -> Tick | None:
        _, every = await SqlTicks(self.engine, by="").all()
        return next((each for each in every if each.job == name), None)

    async def over(self) -> bool:
        ticks = [await self.tick(name) for name in (self.name, self.broken)]
        return all(each is not None and each.outcome is not None for each in ticks)


@pytest.fixture
def works(engine: AsyncEngine) -> Works:
    return Works(engine)


@asynccontextmanager
async def working(*workers: RunJob, grace: float = 5) -> AsyncIterator[asyncio.Event]:
    stop = asyncio.Event()
    tasks = [asyncio.create_task(keep_asking(each, stop=stop, grace=grace, poll=0.1)) for each in workers]
    try:
        yield stop
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def test_several_workers_run_a_tick_once_and_one_that_fails_stops_none(works: Works) -> None:
    ticks = [Asking(works.engine, by=str(number)) for number in range(4)]
    async with working(*(works.worker("", ticks=each) for each in ticks)):
        await eventually(works.over)
        for each in ticks:
            await eventually(each.often)
    assert works.count == 1
    good, bad = await works.tick(works.name), await works.tick(works.broken)
    assert good is not None
    assert bad is not None
    assert (good.outcome, bad.outcome) == (OK, "RuntimeError")


async def test_what_runs_when_it_is_time_to_stop_is_finished(works: Works) -> None:
    started = asyncio.Event()

    async def short() -> Mapping[str, int]:
        started.set()
        await asyncio.sleep(0.2)
        return {}

    async with working(works.worker("a", short)):
        await started.wait()
    tick = await works.tick(works.name)
    assert tick is not None
    assert tick.outcome == OK


async def test_what_takes_longer_is_cut_off_and_goes_to_another(works: Works) -> None:
    started = asyncio.Event()

    async def long() -> Mapping[str, int]:
        started.set()
        await asyncio.Event().wait()
        return {}

    async with working(works.worker("a", long), grace=0.1):
        await started.wait()
    assert (await works.tick(works.name) or Tick(job="")).outcome is None
    async with working(works.worker("b")):
        await eventually(works.over)
    assert works.count == 1


class Shifted(datetime):
    by = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + cls.by


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_a_clock_that_is_minutes_off_changes_nothing(
    works: Works, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shifted, "by", timedelta(minutes=minutes))
    for module in (scheduler, apscheduler.schedulers.base):
        monkeypatch.setattr(module, "datetime", Shifted)
    async with working(works.worker("off")):
        await eventually(works.over)
    now, _ = await SqlTicks(works.engine, by="").all()
    tick = await works.tick(works.name)
    assert tick is not None
    assert tick.due_at == Timing(DAY).last(now)
    monkeypatch.undo()
    right = Asking(works.engine, by="right")
    async with working(works.worker("", ticks=right)):
        await eventually(right.often)
    assert works.count == 1


class Away(Asking):
    async def claim(self, job: str, timing: Timing, *, lease: timedelta, early: bool = False) -> Tick | None:
        self.asked.append(job)
        raise DatabaseUnavailable if len(self.asked) % 2 else RuntimeError("a bug")


async def test_a_worker_outlives_what_goes_wrong_before_a_job_begins(
    works: Works, caplog: pytest.LogCaptureFixture
) -> None:
    away = Away(works.engine, by="a")

    async with working(works.worker("a", ticks=away)):
        await eventually(away.often)
    assert "could not be run" in caplog.text
    assert "the database is away" in caplog.text


async def test_all_jobs_there_are_run_on_a_database_of_their_own(database: str) -> None:
    stop = asyncio.Event()
    async with services_on(database) as services:
        ticks = await services.get(Ticks)
        names = {job.name for job in (await services.get(JobTable)).jobs}
        task = asyncio.create_task(schedule(services, stop=stop, grace=5))

        async def over() -> bool:
            _, every = await ticks.all()
            return {each.job for each in every if each.outcome == OK} == names

        await eventually(over)
        stop.set()
        await task
