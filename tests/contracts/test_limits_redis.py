"""What a limiter in Redis promises beyond the contract, and what happens while Redis is away."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest
from redis.asyncio import Redis
from redis.crc import key_slot

from adapters.memory.limits import MemoryRateLimiter
from adapters.redis.client import make_client
from adapters.redis.fallback import FallbackLimiter
from adapters.redis.limits import TICKS, RedisRateLimiter
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited
from tests.redis_servers import Server, valkey

MINUTE = Limit("minute", 3, 60)
DAY = Limit("day", 100, 86_400)


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with valkey() as server:
        yield server


@pytest.fixture
async def client(server: Server) -> AsyncIterator[Redis]:
    async with make_client(server.url, timeout=5) as client:
        await client.flushall()
        yield client


@pytest.fixture
def workspace() -> WorkspaceId:
    return WorkspaceId(uuid4())


async def test_processes_share_their_counts(server: Server, client: Redis, workspace: WorkspaceId) -> None:
    async with make_client(server.url, timeout=5) as other:
        limiters = [RedisRateLimiter(client), RedisRateLimiter(other)]
        hits = (limiters[n % 2].hit(workspace, "api", (MINUTE,)) for n in range(20))
        answers = await asyncio.gather(*hits, return_exceptions=True)
    assert sum(isinstance(each, tuple) for each in answers) == 3


async def test_the_keys_of_a_workspace_lie_on_one_node_and_go_by_themselves(
    client: Redis, workspace: WorkspaceId
) -> None:
    await RedisRateLimiter(client).hit(workspace, "api", (MINUTE, DAY))
    await RedisRateLimiter(client).hit(workspace, "personal", (MINUTE, DAY))
    keys = await client.keys("*")
    assert len(keys) == 4
    assert len({key_slot(key) for key in keys if isinstance(key, bytes)}) == 1
    assert {round(await client.pttl(key) / 1000) for key in keys} == {60, 86_400}


async def test_a_window_keeps_no_entry_for_each_call(client: Redis, workspace: WorkspaceId) -> None:
    limiter = RedisRateLimiter(client)
    many = Limit("day", 1_000_000, 86_400)
    await asyncio.gather(*(limiter.hit(workspace, "api", (many,)) for _ in range(500)))
    (standing,) = await limiter.hit(workspace, "api", (many,))
    assert standing.remaining == 1_000_000 - 501
    (key,) = await client.keys("*")
    assert await client.llen(key) <= 2 * (TICKS + 2)


async def test_a_server_that_forgot_the_script_is_told_it_again(
    client: Redis, workspace: WorkspaceId
) -> None:
    limiter = RedisRateLimiter(client)
    await limiter.hit(workspace, "api", (MINUTE,))
    await client.script_flush()
    answers = await asyncio.gather(*(limiter.hit(workspace, "api", (MINUTE,)) for _ in range(2)))
    assert sorted(each[0].remaining for each in answers) == [0, 1]


class Elsewhere:
    """A fallback limiter over a server that can be stopped, with a clock that is set by hand."""

    def __init__(self, server: Server, client: Redis) -> None:
        self.server = server
        self.time = 0.0
        own = MemoryRateLimiter(self.now)
        self.limiter = FallbackLimiter(RedisRateLimiter(client), own, pause=2, now=self.now)

    def now(self) -> float:
        return self.time


@pytest.fixture
def elsewhere(server: Server, client: Redis) -> Iterator[Elsewhere]:
    yield Elsewhere(server, client)
    server.start()


async def test_while_redis_is_away_calls_are_still_limited(
    elsewhere: Elsewhere, workspace: WorkspaceId, caplog: pytest.LogCaptureFixture
) -> None:
    limiter = elsewhere.limiter
    await limiter.hit(workspace, "api", (MINUTE,))
    elsewhere.server.stop()
    hits = (limiter.hit(workspace, "api", (MINUTE,)) for _ in range(20))
    answers = await asyncio.gather(*hits, return_exceptions=True)
    assert sum(isinstance(each, tuple) for each in answers) == 3
    assert sum(isinstance(each, RateLimited) for each in answers) == 17
    assert limiter.away
    assert [each.levelno for each in caplog.records if each.name == "adapters.redis.fallback"] == [
        logging.ERROR
    ]
    assert "Redis is away" in caplog.text


async def test_redis_is_used_again_after_a_pause(
    elsewhere: Elsewhere, workspace: WorkspaceId, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "adapters.redis.fallback")
    limiter = elsewhere.limiter
    elsewhere.server.stop()
    await limiter.hit(workspace, "api", (MINUTE,))
    elsewhere.time = 2  # tried again, in vain
    await limiter.hit(workspace, "api", (MINUTE,))
    elsewhere.server.start()
    elsewhere.time = 3  # not yet tried again
    await limiter.hit(workspace, "api", (MINUTE,))
    with pytest.raises(RateLimited):
        await limiter.hit(workspace, "api", (MINUTE,))
    assert limiter.away
    elsewhere.time = 4
    assert (await limiter.hit(workspace, "api", (MINUTE,)))[0].remaining == 2
    assert not limiter.away
    said = [each.levelno for each in caplog.records if each.name == "adapters.redis.fallback"]
    assert said == [logging.ERROR, logging.WARNING]


async def test_a_refusal_also_shows_that_redis_is_back(elsewhere: Elsewhere, workspace: WorkspaceId) -> None:
    limiter = elsewhere.limiter
    elsewhere.server.stop()
    await limiter.hit(workspace, "api", (MINUTE,))
    elsewhere.server.start()
    elsewhere.time = 2
    with pytest.raises(RateLimited):
        await limiter.hit(workspace, "api", (Limit("minute", 0, 60),))
    assert not limiter.away


async def test_without_limits_redis_is_not_asked(elsewhere: Elsewhere, workspace: WorkspaceId) -> None:
    elsewhere.server.stop()
    assert await elsewhere.limiter.hit(workspace, "api", ()) == ()
    assert not elsewhere.limiter.away


async def test_a_server_that_never_answers_holds_a_call_up_only_shortly(workspace: WorkspaceId) -> None:
    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    silent = await asyncio.start_server(ignore, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with silent, make_client(f"redis://127.0.0.1:{port}/0", timeout=0.1) as client:
        limiter = FallbackLimiter(RedisRateLimiter(client), MemoryRateLimiter())
        async with asyncio.timeout(2):
            assert (await limiter.hit(workspace, "api", (MINUTE,)))[0].remaining == 2
        assert limiter.away
        await client.aclose()
