import asyncio
from collections.abc import Iterator
from uuid import uuid4

import pytest

from tests.conftest import TEMPLATE, renamed, run_sql
from tests.shop import open_shop


@pytest.fixture
def own_database(embedded_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A migrated database that the environment names, for commands, which run event loops of their own."""
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    url = renamed(embedded_server, name)
    monkeypatch.setenv("CUEBX_DATABASE_URL", url)
    monkeypatch.setenv("CUEBX_PROFILE", "embedded")
    yield url
    asyncio.run(run_sql(embedded_server, f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture(scope="session")
def sold_database(embedded_server: str) -> str:
    """Where the sample catalog is published; each test keeps to workspaces of its own."""
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE cuebx_cli TEMPLATE {TEMPLATE}"))
    url = renamed(embedded_server, "cuebx_cli")
    asyncio.run(open_shop(url))
    return url


@pytest.fixture
def sold(sold_database: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The same, named by the environment."""
    monkeypatch.setenv("CUEBX_DATABASE_URL", sold_database)
    monkeypatch.setenv("CUEBX_PROFILE", "embedded")
    return sold_database
