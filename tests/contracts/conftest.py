"""The contract suites run on the PostgreSQL of the wheel, and on one that is installed where there is one."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from migrations.schema import upgrade
from tests.conftest import renamed, run_sql
from tests.contracts.banks import Bank, MemoryBank
from tests.contracts.sql_banks import SqlBank, sql_bank
from tests.fakes.unit_of_work import FakeUnitOfWork

INSTALLED = os.environ.get("CUEBX_TEST_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/postgres")


def _reachable() -> bool:
    try:
        asyncio.run(run_sql(INSTALLED, "SELECT 1"))
    except Exception:  # noqa: BLE001 - whatever the reason, it is not there for us
        return False
    return True


SERVERS = ["embedded", *(["installed"] if _reachable() else [])]


@pytest.fixture(scope="session")
def installed_database() -> Iterator[str]:
    name = f"cuebx_test_{uuid4().hex}"
    asyncio.run(run_sql(INSTALLED, f"CREATE DATABASE {name}"))
    url = renamed(INSTALLED, name)
    asyncio.run(upgrade(url))
    yield url
    asyncio.run(run_sql(INSTALLED, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session", params=SERVERS)
def contract_database(request: pytest.FixtureRequest) -> str:
    wanted = "shared_database" if request.param == "embedded" else "installed_database"
    url: str = request.getfixturevalue(wanted)
    return url


@pytest.fixture(scope="session", params=SERVERS)
def contract_server(request: pytest.FixtureRequest) -> str:
    url: str = INSTALLED if request.param == "installed" else request.getfixturevalue("embedded_server")
    return url


@pytest.fixture
async def own_database(contract_server: str) -> AsyncIterator[str]:
    """A migrated database that is this test's alone, on each server."""
    name = f"cuebx_test_{uuid4().hex}"
    await run_sql(contract_server, f"CREATE DATABASE {name}")
    url = renamed(contract_server, name)
    await upgrade(url)
    yield url
    await run_sql(contract_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
async def engine(contract_database: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(contract_database)
    yield engine
    await engine.dispose()


@pytest.fixture(scope="session", params=["memory", *SERVERS])
def bank_database(request: pytest.FixtureRequest) -> str | None:
    """Where a ledger keeps its books; none for memory."""
    wanted = {"embedded": "shared_database", "installed": "installed_database"}.get(request.param)
    return wanted and request.getfixturevalue(wanted)


@pytest.fixture
async def bank(bank_database: str | None) -> AsyncIterator[Bank]:
    """Whatever a test does with it, its books add up afterwards."""
    if bank_database is None:
        memory = MemoryBank()
        yield memory
        await memory.check()
        return
    async with sql_bank(bank_database) as sql:
        yield sql
        await sql.check()


@pytest.fixture
async def postgres(contract_database: str) -> AsyncIterator[SqlBank]:
    """A bank for what only a database can do."""
    async with sql_bank(contract_database) as sql:
        yield sql
        await sql.check()


@pytest.fixture
async def uow(bank_database: str | None) -> AsyncIterator[FakeUnitOfWork | SqlUnitOfWork]:
    """Each suite names the transactions that it holds both to."""
    if bank_database is None:
        yield FakeUnitOfWork()
        return
    engine = make_engine(bank_database)
    yield SqlUnitOfWork(make_sessions(engine))
    await engine.dispose()
