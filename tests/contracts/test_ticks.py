"""Who gets a tick, by the fake and by PostgreSQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.ticks import SqlTicks
from application.jobs.ports import Ticks
from domain.jobs.tick import OK, Tick, Timing
from tests.fakes.clock import NOON, SetClock
from tests.fakes.ticks import FakeTicks

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
DAILY = Timing(DAY)


class Workers(ABC):
    """Any number of processes, and a job of their own."""

    job: str

    @abstractmethod
    def ticks(self, by: str) -> Ticks: ...

    @abstractmethod
    async def pass_by(self, time: timedelta) -> None: ...

    async def last(self) -> tuple[datetime, Tick]:
        now, every = await self.ticks("anybody").all()
        return now, next(each for each in every if each.job == self.job)


class FakeWorkers(Workers):
    def __init__(self) -> None:
        self.job = "job"
        self._clock, self._rows = SetClock(NOON + MINUTE), dict[str, Tick]()

    def ticks(self, by: str) -> Ticks:
        return FakeTicks(self._clock, self._rows, by=by)

    async def pass_by(self, time: timedelta) -> None:
        self._clock.pass_by(time)


class SqlWorkers(Workers):
    def __init__(self, engine: AsyncEngine) -> None:
        self.job = f"job_{uuid4().hex}"
        self._engine = engine

    def ticks(self, by: str) -> Ticks:
        return SqlTicks(self._engine, by=by)

    async def pass_by(self, time: timedelta) -> None:
        """The database's clock cannot be set: what it is compared with moves into the past instead."""
        names = ("due_at", "claimed_at", "claimed_until", "finished_at")
        moved = ", ".join(f"{name} = {name} - :time" for name in names)
        shift = sa.text(f"UPDATE job_tick SET {moved} WHERE job = :job")  # noqa: S608 - names of columns
        async with self._engine.begin() as connection:
            await connection.execute(
                shift.bindparams(sa.bindparam("time", type_=sa.Interval())), {"time": time, "job": self.job}
            )


@pytest.fixture
async def workers(bank_database: str | None) -> AsyncIterator[Workers]:
    if bank_database is None:
        yield FakeWorkers()
        return
    engine = make_engine(bank_database)
    yield SqlWorkers(engine)
    await engine.dispose()


async def test_a_new_job_is_due_at_once_and_its_tick_is_had_once(workers: Workers) -> None:
    one, two = workers.ticks("one"), workers.ticks("two")
    tick = await one.claim(workers.job, DAILY, lease=MINUTE)
    assert tick is not None
    now, kept = await workers.last()
    assert kept == tick
    assert tick.due_at == DAILY.last(now)
    assert tick.claimed_by == "one"
    assert tick.claimed_until == (tick.claimed_at or now) + MINUTE
    assert await two.claim(workers.job, DAILY, lease=MINUTE) is None
    assert await one.finish(tick, OK)
    assert not await one.finish(tick, OK)
    _, over = await workers.last()
    assert (over.outcome, over.claimed_until, over.failures) == (OK, None, 0)
    assert await two.claim(workers.job, DAILY, lease=MINUTE) is None


async def test_however_many_were_missed_there_is_one(workers: Workers) -> None:
    ticks = workers.ticks("one")
    tick = await ticks.claim(workers.job, DAILY, lease=MINUTE)
    assert tick is not None
    await ticks.finish(tick, "Boom")
    await workers.pass_by(7 * DAY)
    again = await ticks.claim(workers.job, DAILY, lease=MINUTE)
    assert again is not None
    assert again.failures == 1
    await ticks.finish(again, "Boom")
    assert (await workers.last())[1].failures == 2
    assert await ticks.claim(workers.job, DAILY, lease=MINUTE) is None


async def test_a_tick_whose_worker_died_goes_to_another(workers: Workers) -> None:
    dead, other = workers.ticks("dead"), workers.ticks("other")
    tick = await dead.claim(workers.job, DAILY, lease=3 * MINUTE)
    assert tick is not None
    await workers.pass_by(2 * MINUTE)
    assert await other.claim(workers.job, DAILY, lease=MINUTE) is None
    await workers.pass_by(2 * MINUTE)
    taken = await other.claim(workers.job, DAILY, lease=MINUTE)
    assert taken is not None
    assert taken.claimed_by == "other"
    assert not await dead.extend(tick, lease=HOUR)
    assert not await dead.finish(tick, OK)
    await dead.give_back(tick)
    assert (await workers.last())[1] == taken


async def test_a_tick_that_is_extended_stays(workers: Workers) -> None:
    ticks, other = workers.ticks("one"), workers.ticks("other")
    tick = await ticks.claim(workers.job, DAILY, lease=MINUTE)
    assert tick is not None
    assert await ticks.extend(tick, lease=5 * MINUTE)
    await workers.pass_by(2 * MINUTE)
    assert await other.claim(workers.job, DAILY, lease=MINUTE) is None


async def test_one_that_is_given_back_goes_to_another_at_once(workers: Workers) -> None:
    ticks, other = workers.ticks("one"), workers.ticks("other")
    tick = await ticks.claim(workers.job, DAILY, lease=HOUR)
    assert tick is not None
    await ticks.give_back(tick)
    assert await other.claim(workers.job, DAILY, lease=MINUTE) is not None


async def test_early_is_also_when_none_is_due_but_not_while_it_runs(workers: Workers) -> None:
    ticks, other = workers.ticks("one"), workers.ticks("other")
    tick = await ticks.claim(workers.job, DAILY, lease=MINUTE)
    assert tick is not None
    assert await other.claim(workers.job, DAILY, lease=MINUTE, early=True) is None
    await ticks.finish(tick, OK)
    assert await other.claim(workers.job, DAILY, lease=MINUTE) is None
    assert await other.claim(workers.job, DAILY, lease=MINUTE, early=True) is not None


async def test_of_ten_that_claim_at_once_one_wins(contract_database: str) -> None:
    engines = [make_engine(contract_database, pool_size=1) for _ in range(10)]
    workers, barrier = SqlWorkers(engines[0]), asyncio.Barrier(10)

    async def claim(number: int, engine: AsyncEngine) -> Tick | None:
        ticks = SqlTicks(engine, by=str(number))
        await ticks.all()  # connected
        await barrier.wait()
        return await ticks.claim(workers.job, DAILY, lease=MINUTE)

    for _ in range(5):  # a new job; then one that was run before
        won = await asyncio.gather(*(claim(*each) for each in enumerate(engines)))
        (tick,) = [each for each in won if each]
        assert await workers.ticks(str(tick.claimed_by)).finish(tick, OK)
        again = await asyncio.gather(*(claim(*each) for each in enumerate(engines)))
        assert again == [None] * 10
        await workers.pass_by(DAY)
    for engine in engines:
        await engine.dispose()
