"""Months get a place for their records ahead of time, by the fake and by PostgreSQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.partitions import SqlPartitions
from application.usage.partitions import AHEAD, MakePartitions, Partitions
from domain.errors import DatabaseUnavailable
from domain.period import add_months
from migrations import schema
from tests.fakes.clock import SetClock
from tests.fakes.partitions import FakePartitions

FAR = datetime(2031, 5, 31, 23, 59, tzinfo=UTC)


class Shelves(ABC):
    partitions: Partitions

    @abstractmethod
    async def now(self) -> datetime: ...

    @abstractmethod
    async def take_down(self, month: date) -> None:
        """As if it had never been made. It has no records."""

    @abstractmethod
    async def record(self, at: datetime) -> None: ...

    @abstractmethod
    async def apart(self) -> int:
        """How many records lie in no month's place."""

    async def month(self, ahead: int) -> date:
        return add_months((await self.now()).replace(day=1), ahead).date()


class FakeShelves(Shelves):
    def __init__(self) -> None:
        self._clock = SetClock()
        self.partitions = self._fake = FakePartitions(self._clock)
        first = self._clock.now().replace(day=1)
        self._fake.made = {add_months(first, months).date() for months in range(24)}

    async def now(self) -> datetime:
        return self._clock.now()

    async def take_down(self, month: date) -> None:
        self._fake.made.remove(month)

    async def record(self, at: datetime) -> None:
        if at.date().replace(day=1) not in self._fake.made:
            self._fake.apart.append(at)

    async def apart(self) -> int:
        return len(self._fake.apart)


_RECORD = """INSERT INTO usage_record (account_id, recorded_at, id, feature, rate, test, input_tokens,
    output_tokens, units, cost, charged, uncollected, charges)
    VALUES (:id, :at, :id, 'f', '{}', true, 0, 0, 0, 0, 0, 0, '[]')"""


class SqlShelves(Shelves):
    def __init__(self, url: str, engine: AsyncEngine) -> None:
        self.url, self.engine = url, engine
        self.partitions = SqlPartitions(engine)

    async def run(self, statement: str, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(sa.text(statement), values)

    async def scalar(self, query: str) -> object:
        async with self.engine.connect() as connection:
            return await connection.scalar(sa.text(query))

    async def now(self) -> datetime:
        now = await self.scalar("SELECT now()")
        assert isinstance(now, datetime)
        return now

    async def take_down(self, month: date) -> None:
        await self.run(f"DROP TABLE usage_record_{month:%Y_%m}")

    async def record(self, at: datetime) -> None:
        await self.run(_RECORD, id=uuid4(), at=at)

    async def apart(self) -> int:
        count = await self.scalar("SELECT count(*) FROM usage_record_default")
        assert isinstance(count, int)
        return count


@pytest.fixture
async def sql_shelves(own_database: str) -> AsyncIterator[SqlShelves]:
    engine = make_engine(own_database)
    yield SqlShelves(own_database, engine)
    await engine.dispose()


async def check_missing(shelves: Shelves) -> None:
    make = MakePartitions(shelves.partitions)
    assert await make() == {"made": 0}
    last, beyond = await shelves.month(AHEAD), await shelves.month(AHEAD + 1)
    for month in (last, beyond):
        await shelves.take_down(month)
    assert await shelves.partitions.missing(AHEAD) == [last]
    assert await make() == {"made": 1}
    assert await shelves.partitions.missing(AHEAD) == []
    assert not await shelves.partitions.make(last)


async def check_apart(shelves: Shelves) -> None:
    this = await shelves.month(0)
    await shelves.take_down(this)
    for at in (FAR, await shelves.now(), FAR):
        await shelves.record(at)
    assert await shelves.apart() == 3
    assert await shelves.partitions.missing(AHEAD) == [this, date(2031, 5, 1)]
    assert await MakePartitions(shelves.partitions)() == {"made": 2}
    assert await shelves.apart() == 0
    await shelves.record(FAR)
    assert await shelves.apart() == 0


async def test_the_fake_makes_months_that_are_missing_and_none_beyond() -> None:
    await check_missing(FakeShelves())


async def test_months_that_are_missing_are_made_and_none_beyond(sql_shelves: SqlShelves) -> None:
    await check_missing(sql_shelves)
    assert await schema.drift(sql_shelves.url) == schema.Drift()


async def test_the_fake_puts_what_lies_apart_where_it_belongs() -> None:
    await check_apart(FakeShelves())


async def test_what_lies_apart_is_put_where_it_belongs(sql_shelves: SqlShelves) -> None:
    await check_apart(sql_shelves)
    assert await sql_shelves.scalar("SELECT count(*) FROM usage_record_2031_05") == 3
    assert await sql_shelves.scalar("SELECT count(*) FROM usage_record") == 4
    indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = 'usage_record_{}'"
    made, other = [await sql_shelves.scalar(indexes.format(month)) for month in ("2031_05", "2027_01")]
    assert made == other
    assert await schema.drift(sql_shelves.url) == schema.Drift()


async def test_several_may_make_one_at_once(sql_shelves: SqlShelves) -> None:
    month = await sql_shelves.month(1)
    await sql_shelves.take_down(month)
    made = await asyncio.gather(*(sql_shelves.partitions.make(month) for _ in range(4)))
    assert sorted(made) == [False, False, False, True]


async def test_one_that_cannot_be_made_soon_holds_nobody_up(sql_shelves: SqlShelves) -> None:
    month = await sql_shelves.month(1)
    await sql_shelves.take_down(month)
    async with sql_shelves.engine.begin() as connection:
        await connection.execute(sa.text("LOCK TABLE usage_record_default IN ROW EXCLUSIVE MODE"))
        with pytest.raises(DatabaseUnavailable):
            await sql_shelves.partitions.make(month)
    assert await sql_shelves.partitions.make(month)
