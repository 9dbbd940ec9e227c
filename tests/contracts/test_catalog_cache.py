"""How seldom the database is asked for what is published, and how soon what is new is seen."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.catalog_cache import SqlCatalog
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from domain.catalog.publication import Draft, publication
from domain.errors import DatabaseUnavailable, SchemaBehind
from domain.ids import PlanRef
from tests.fakes.catalog import FEATURE, PLAN, PRODUCT

NOW = datetime(2026, 1, 1, tzinfo=UTC)
DRAFT = Draft(products=(PRODUCT,), plans=(PLAN,), features=(FEATURE,))
FREE_1 = PlanRef("api", "free", 1)
NOBODY = "postgresql+asyncpg://postgres@127.0.0.1:1/postgres"


@dataclass
class Reader:
    """A catalog with a clock that is set by hand, and every statement that it sent."""

    engine: AsyncEngine
    time: float = 100.0
    sent: list[str] = field(default_factory=list)
    meanwhile: list[Callable[[], None]] = field(default_factory=list)
    """What happens while the next statement is on its way."""

    def __post_init__(self) -> None:
        self.catalog = SqlCatalog(make_sessions(self.engine), monotonic=self.now)
        sa.event.listen(self.engine.sync_engine, "before_cursor_execute", self._note)

    def now(self) -> float:
        return self.time

    def _note(self, *args: object) -> None:
        self.sent.append(str(args[2]))
        while self.meanwhile:
            self.meanwhile.pop()()


async def publish(engine: AsyncEngine, draft: Draft) -> None:
    """As another process does."""
    async with SqlUnitOfWork(make_sessions(engine))() as tx:
        await tx.catalog.apply(publication(await tx.catalog.newest(), draft), at=NOW)


@pytest.fixture
async def other(database: str) -> AsyncIterator[AsyncEngine]:
    """Another process's connections to the same database, with something published."""
    engine = make_engine(database)
    await publish(engine, DRAFT)
    yield engine
    await engine.dispose()


@pytest.fixture
async def reader(database: str, other: AsyncEngine) -> AsyncIterator[Reader]:
    engine = make_engine(database)
    yield Reader(engine)
    await engine.dispose()


async def test_what_is_new_elsewhere_is_seen_within_a_second(reader: Reader, other: AsyncEngine) -> None:
    assert (await reader.catalog.newest_plan("api", "free")).version == 1
    await publish(other, replace(DRAFT, plans=(replace(PLAN, seats=2),)))
    reader.time += 0.99
    assert (await reader.catalog.newest_plan("api", "free")).version == 1
    reader.time += 0.01
    assert (await reader.catalog.newest_plan("api", "free")).version == 2


async def test_what_is_forgotten_is_read_anew(reader: Reader, other: AsyncEngine) -> None:
    assert (await reader.catalog.newest_plan("api", "free")).version == 1
    await publish(other, replace(DRAFT, plans=(replace(PLAN, seats=2),)))
    reader.catalog.forget()
    assert (await reader.catalog.newest_plan("api", "free")).version == 2


async def test_what_is_forgotten_while_it_is_being_read_is_read_again(reader: Reader) -> None:
    reader.meanwhile = [reader.catalog.forget]
    await reader.catalog.features()
    reader.sent.clear()
    await reader.catalog.features()
    await reader.catalog.features()
    assert len(reader.sent) == 1


async def test_all_who_wait_are_served_by_one_reading(reader: Reader) -> None:
    await asyncio.gather(*(reader.catalog.feature("summarize") for _ in range(50)))
    assert len(reader.sent) == 2


async def test_a_document_is_read_once(reader: Reader, other: AsyncEngine) -> None:
    await reader.catalog.features()
    reader.sent.clear()
    for _ in range(3):
        reader.time += 1
        await reader.catalog.features()
    assert len(reader.sent) == 3
    assert not [each for each in reader.sent if "document" in each]


async def test_a_plan_version_is_asked_for_once(reader: Reader) -> None:
    for _ in range(3):
        reader.time += 10
        assert await reader.catalog.plan(FREE_1) == PLAN
    assert len(reader.sent) == 1


async def test_a_plan_version_that_many_want_at_once_is_asked_for_once(reader: Reader) -> None:
    assert await asyncio.gather(*(reader.catalog.plan(FREE_1) for _ in range(50))) == [PLAN] * 50
    assert len(reader.sent) == 1


async def test_only_so_many_plan_versions_are_kept(reader: Reader, other: AsyncEngine) -> None:
    await publish(other, replace(DRAFT, plans=(replace(PLAN, seats=2),)))
    catalog = SqlCatalog(make_sessions(reader.engine), monotonic=reader.now, plans=1)
    for version in (1, 2, 2, 1):
        assert (await catalog.plan(PlanRef("api", "free", version))).version == version
    assert len(reader.sent) == 3


async def test_a_reader_that_gives_up_leaves_the_others_served(reader: Reader) -> None:
    first = asyncio.create_task(reader.catalog.features())
    others = [asyncio.create_task(reader.catalog.features()) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    assert await asyncio.gather(*others) == [(FEATURE,)] * 5
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_database_that_is_away_is_said_to_be() -> None:
    engine = make_engine(NOBODY)
    catalog = SqlCatalog(make_sessions(engine))
    with pytest.raises(DatabaseUnavailable):
        await catalog.features()
    with pytest.raises(DatabaseUnavailable):
        await catalog.plan(FREE_1)
    with pytest.raises(DatabaseUnavailable):
        await publish(engine, DRAFT)
    await engine.dispose()


async def test_a_database_that_is_not_migrated_is_not_one_that_is_away(database: str) -> None:
    engine = make_engine(database)
    async with engine.begin() as connection:
        await connection.execute(sa.text("DROP TABLE catalog_entry CASCADE"))
    with pytest.raises(SchemaBehind):
        await SqlCatalog(make_sessions(engine)).features()
    await engine.dispose()
