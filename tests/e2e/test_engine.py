"""The engine and its sessions are those of ADR 0002."""

from typing import Any

import pytest
from dishka import AsyncContainer
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from application.usage.ports import Auditor, Ledger, UsageReader
from entrypoints import container, settings
from tests.servers import environment

URL = "postgresql://somewhere/nothing"


async def built(**given: object) -> AsyncContainer:
    """As `cuebx serve` does; nothing is connected to before it is needed."""
    return container.build(settings.load(environment(URL, **given), serving=True))


def pool_of(engine: AsyncEngine) -> QueuePool:
    pool = engine.sync_engine.pool
    assert isinstance(pool, QueuePool)
    return pool


async def test_the_engine_is_set_as_decided() -> None:
    services = await built()
    engine = await services.get(AsyncEngine)
    pool = pool_of(engine)
    assert engine.dialect.driver == "asyncpg"
    assert (pool.size(), pool._max_overflow) == (20, 30)  # noqa: SLF001 - it has no other name
    assert (pool._pre_ping, pool._recycle) == (True, 3600)  # noqa: SLF001
    await services.close()


async def test_each_of_its_settings_can_be_set() -> None:
    services = await built(pool_size=3, max_overflow=4, pool_pre_ping="false", pool_recycle=5)
    pool = pool_of(await services.get(AsyncEngine))
    assert (pool.size(), pool._max_overflow) == (3, 4)  # noqa: SLF001
    assert (pool._pre_ping, pool._recycle) == (False, 5)  # noqa: SLF001
    await services.close()


async def test_sessions_neither_expire_what_they_read_nor_flush_by_themselves() -> None:
    services = await built()
    sessions = await services.get(async_sessionmaker[AsyncSession])
    async with sessions() as session:
        assert session.sync_session.expire_on_commit is False
        assert session.sync_session.autoflush is False
        assert session.bind is await services.get(AsyncEngine)
    await services.close()


@pytest.mark.parametrize("port", [Ledger, UsageReader, Auditor])
async def test_a_process_has_one_engine(port: type) -> None:
    services = await built()
    engine = await services.get(AsyncEngine)
    assert await services.get(AsyncEngine) is engine
    user: Any = await services.get(port)
    assert getattr(user, "_connections", user)._engine is engine  # noqa: SLF001 - the ledger keeps some
    await services.close()
