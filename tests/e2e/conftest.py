"""A PostgreSQL that keeps what it committed, for tests that break things."""

import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from migrations.schema import upgrade
from tests.conftest import renamed, run_sql
from tests.shop import open_shop

SOLD = "cuebx_sold"


@pytest.fixture(scope="session")
def durable_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(tmp_path_factory.mktemp("durable")) as server:
        asyncio.run(run_sql(server.url, f"CREATE DATABASE {SOLD}"))
        asyncio.run(upgrade(renamed(server.url, SOLD)))
        asyncio.run(open_shop(renamed(server.url, SOLD)))
        yield server


@pytest.fixture
def durable_database(durable_server: EmbeddedPostgres) -> str:
    """With the sample catalog, and this test's alone."""
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(durable_server.url, f"CREATE DATABASE {name} TEMPLATE {SOLD}"))
    return renamed(durable_server.url, name)
