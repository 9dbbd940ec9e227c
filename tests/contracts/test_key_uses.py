"""When keys were last used, as it is written behind the requests."""

from datetime import timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.key_uses import SqlKeyUses
from adapters.postgres.records import KeyRecord
from domain.ids import KeyId
from tests.fakes.clock import NOON
from tests.servers import eventually

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def key(engine: AsyncEngine) -> KeyId:
    id = KeyId(uuid4())
    values = {"id": id, "kind": "service", "digest": id.bytes, "name": "x", "last_four": "abcd"}
    async with engine.begin() as connection:
        await connection.execute(sa.insert(KeyRecord).values(created_at=NOON, **values))
    return id


async def last_used(engine: AsyncEngine, key: KeyId) -> object:
    async with engine.connect() as connection:
        return await connection.scalar(sa.select(KeyRecord.last_used_at).where(KeyRecord.id == key))


async def test_the_latest_use_is_written_when_the_process_ends(engine: AsyncEngine, key: KeyId) -> None:
    uses = SqlKeyUses(make_sessions(engine))
    uses.note(key, NOON)
    uses.note(key, NOON + MINUTE)
    assert await last_used(engine, key) is None
    await uses.close()
    assert await last_used(engine, key) == NOON + MINUTE


async def test_it_is_written_soon_by_itself(engine: AsyncEngine, key: KeyId) -> None:
    uses = SqlKeyUses(make_sessions(engine), every=0.01)
    uses.note(key, NOON)

    async def written() -> bool:
        return await last_used(engine, key) == NOON

    await eventually(written)
    await uses.close()


async def test_a_process_that_is_behind_sets_nothing_back(engine: AsyncEngine, key: KeyId) -> None:
    for at in (NOON + MINUTE, NOON):
        uses = SqlKeyUses(make_sessions(engine))
        uses.note(key, at)
        await uses.close()
    assert await last_used(engine, key) == NOON + MINUTE


async def test_nothing_is_lost_where_the_database_is_away(
    engine: AsyncEngine, key: KeyId, caplog: pytest.LogCaptureFixture
) -> None:
    away = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    uses = SqlKeyUses(make_sessions(away))
    uses.note(key, NOON)
    await uses.write()
    assert "could not be written" in caplog.text
    uses._sessions = make_sessions(engine)  # noqa: SLF001 - the database that is back
    await uses.close()
    assert await last_used(engine, key) == NOON
    await away.dispose()
