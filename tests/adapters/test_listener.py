"""Changes are heard as long as there is a connection, and again when there is one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine
from adapters.postgres.listener import RETRY, Listener
from tests.fakes.proxy import lossy
from tests.servers import PATIENCE, eventually

END = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND query LIKE 'LISTEN %' || :channel || '%'
"""


@dataclass
class Ear:
    """Hears one channel of its own."""

    engine: AsyncEngine
    channel: str = field(default_factory=lambda: f"test_{uuid4().hex}")
    heard: asyncio.Queue[str] = field(default_factory=asyncio.Queue)

    async def say(self, what: str) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(
                sa.text("SELECT pg_notify(:channel, :what)"), {"channel": self.channel, "what": what}
            )

    async def hears(self) -> str:
        async with asyncio.timeout(PATIENCE):
            return await self.heard.get()

    async def hears_again(self) -> None:
        """Speaks until it is heard."""
        async with asyncio.timeout(PATIENCE):
            while self.heard.empty():
                await self.say("again")
        while not self.heard.empty():
            assert self.heard.get_nowait() == "again"

    async def is_cut_off(self) -> bool:
        """Whether there was a connection to cut."""
        async with self.engine.begin() as connection:
            return bool(await connection.scalar(sa.text(END), {"channel": self.channel}))


@asynccontextmanager
async def listening(ear: Ear, engine: AsyncEngine, *, retry: float = 0.05) -> AsyncIterator[Listener]:
    listener = Listener(engine, {ear.channel: ear.heard.put_nowait}, retry=retry)
    listener.start()
    try:
        async with asyncio.timeout(PATIENCE):
            await listener.ready.wait()
        yield listener
    finally:
        await listener.close()


def deaf(listener: Listener) -> Callable[[], Awaitable[bool]]:
    async def so() -> bool:
        return not listener.ready.is_set()

    return so


@pytest.fixture
def ear(engine: AsyncEngine) -> Ear:
    return Ear(engine)


async def test_what_is_said_is_heard_in_order(ear: Ear) -> None:
    async with listening(ear, ear.engine):
        for word in ("one", "two", ""):
            await ear.say(word)
        assert [await ear.hears() for _ in range(3)] == ["one", "two", ""]


async def test_what_was_not_committed_is_not_heard(ear: Ear) -> None:
    async with listening(ear, ear.engine):
        async with ear.engine.connect() as connection:
            await connection.execute(sa.text("SELECT pg_notify(:channel, 'never')"), {"channel": ear.channel})
            await connection.rollback()
        await ear.say("one")
        assert await ear.hears() == "one"


async def test_what_is_said_elsewhere_is_not_heard(ear: Ear) -> None:
    async with listening(ear, ear.engine):
        await Ear(ear.engine).say("elsewhere")
        await ear.say("here")
        assert await ear.hears() == "here"


async def test_a_connection_that_is_cut_is_replaced(ear: Ear) -> None:
    async with listening(ear, ear.engine) as listener:
        for _ in range(2):
            await eventually(ear.is_cut_off)
            await eventually(deaf(listener))
            await ear.hears_again()


async def test_a_server_that_comes_back_is_heard_again(ear: Ear, shared_database: str) -> None:
    async with lossy(shared_database) as proxy:
        engine = make_engine(proxy.url)
        async with listening(ear, engine, retry=0.05) as listener:
            proxy.away = True
            proxy.cut()
            await eventually(deaf(listener))
            await ear.say("nobody hears this")
            proxy.away = False
            await ear.hears_again()
        await engine.dispose()


async def test_a_server_that_is_away_at_first_is_waited_for(ear: Ear, shared_database: str) -> None:
    async with lossy(shared_database) as proxy:
        engine = make_engine(proxy.url)
        proxy.away = True
        listener = Listener(engine, {ear.channel: ear.heard.put_nowait}, retry=0.05)
        listener.start()

        async def tried_twice() -> bool:
            return proxy.refused >= 2

        await eventually(tried_twice)
        assert not listener.ready.is_set()
        proxy.away = False
        await ear.hears_again()
        await listener.close()
        await engine.dispose()


async def test_its_connection_goes_back_to_no_pool(ear: Ear, shared_database: str) -> None:
    engine = make_engine(shared_database, pool_size=1, max_overflow=1)
    async with listening(ear, engine):
        pass
    await ear.say("late")
    async with engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))
        rows = await connection.execute(sa.text("SELECT pg_listening_channels()"))
        assert rows.all() == []
    assert ear.heard.empty()
    await engine.dispose()


async def test_it_can_be_closed_before_it_began(ear: Ear) -> None:
    await Listener(ear.engine, {}).close()
    assert RETRY <= 1
