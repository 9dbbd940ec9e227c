"""One PostgreSQL for the whole run, from the wheel; each test its own connections to it."""

import asyncio
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.engine import asyncpg_url, make_engine
from migrations.schema import upgrade

TEMPLATE = "cuebx_template"


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, bool]]:
    return ("asyncio", {"use_uvloop": True})


def renamed(url: str, database: str) -> str:
    """The URL of another database of the same server."""
    return sa.make_url(url).set(database=database).render_as_string(hide_password=False)


async def run_sql(url: str, *statements: str) -> None:
    """Each in a transaction of its own."""
    engine = create_async_engine(asyncpg_url(url), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        for statement in statements:
            await connection.execute(sa.text(statement))
    await engine.dispose()


@asynccontextmanager
async def copied(server: str, template: str = TEMPLATE) -> AsyncIterator[str]:
    """A migrated database of a test's own on ``server``, gone afterwards."""
    name = f"cuebx_{uuid4().hex}"
    await run_sql(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    yield renamed(server, name)
    await run_sql(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def embedded_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a PostgreSQL 18, with a migrated database to copy."""
    data: Path = tmp_path_factory.mktemp("postgres")
    with EmbeddedPostgres(data, durable=False) as server:
        asyncio.run(run_sql(server.url, f"CREATE DATABASE {TEMPLATE}"))
        asyncio.run(upgrade(renamed(server.url, TEMPLATE)))
        yield server.url


@pytest.fixture(scope="session")
def shared_database(embedded_server: str) -> str:
    """A migrated database that all tests share: each keeps to ids of its own."""
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE cuebx_shared TEMPLATE {TEMPLATE}"))
    return renamed(embedded_server, "cuebx_shared")


@pytest.fixture
async def database(embedded_server: str) -> AsyncIterator[str]:
    """The URL of a migrated database that is this test's alone."""
    async with copied(embedded_server) as url:
        yield url


@pytest.fixture
async def engine(shared_database: str) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(shared_database)
    yield engine
    await engine.dispose()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test wrote may be no text; a report has to be, as it goes from one process to another."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report
