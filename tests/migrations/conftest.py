from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from tests.conftest import renamed, run_sql


@pytest.fixture
async def empty(embedded_server: str) -> AsyncIterator[str]:
    """The URL of a database without any table."""
    name = f"cuebx_{uuid4().hex}"
    await run_sql(embedded_server, f"CREATE DATABASE {name}")
    yield renamed(embedded_server, name)
    await run_sql(embedded_server, f"DROP DATABASE {name} WITH (FORCE)")
