"""How PostgreSQL goes about the hot statements, whatever it knows of the tables."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.books import lock, read_books
from adapters.postgres.driver import Driver, driver_of, look_ups
from adapters.postgres.engine import make_engine
from adapters.postgres.records import AccountRecord, WorkspaceRecord
from domain.ids import AccountId, ReservationId


@dataclass(frozen=True)
class Look:
    account: AccountId
    reservation: ReservationId
    request: str = "request"
    reference: str = "reference"
    run: None = None
    subjects: tuple[UUID, ...] = (UUID(int=7),)


@pytest.fixture
async def engine(own_database: str) -> AsyncIterator[AsyncEngine]:
    """On tables that nobody has analysed: one that is known to be tiny is as well read whole."""
    engine = make_engine(own_database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def account(engine: AsyncEngine) -> AccountId:
    workspace, id = uuid4(), AccountId(uuid4())
    now = datetime.now(UTC)
    async with AsyncSession(engine) as session, session.begin():
        session.add(WorkspaceRecord(id=workspace, name="Acme", kind="team", created_at=now))
        await session.flush()
        plan = {"product": "api", "plan": "scale", "plan_version": 1, "anchor": now}
        session.add(AccountRecord(id=id, workspace_id=workspace, created_at=now, **plan))
    return id


@dataclass
class Explaining:
    """A connection that tells how it would run a statement, without knowing its values."""

    driver: Driver
    plan: str = ""

    async def fetch(self, statement: str, *values: object) -> object:
        await self.driver.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        self.plan = "\n".join(row[0] for row in await self.driver.fetch("EXPLAIN " + statement, *values))
        return await self.driver.fetch(statement, *values)


async def test_the_books_are_read_row_by_row_through_an_index(
    engine: AsyncEngine, account: AccountId
) -> None:
    look = Look(account, ReservationId(uuid4()))
    async with driver_of(engine) as driver, look_ups(driver, lock([account])):
        explaining = Explaining(driver)
        await read_books(explaining, [look.account], [look])
    assert "Nested Loop" in explaining.plan
    # A bitmap of what its index found says the condition again.
    found_by = [
        line for line in explaining.plan.splitlines() if ".wanted" in line and "Recheck Cond" not in line
    ]
    assert len(found_by) == 4
    assert all("Index Cond" in line for line in found_by)
    assert not [way for way in ("Seq Scan", "Hash Join", "Merge Join") if way in explaining.plan]


async def test_what_was_set_for_that_ends_with_the_transaction(
    engine: AsyncEngine, account: AccountId
) -> None:
    async with driver_of(engine) as driver:
        async with look_ups(driver):
            assert await driver.fetchval("SHOW enable_hashjoin") == "off"
        assert await driver.fetchval("SHOW enable_hashjoin") == "on"
