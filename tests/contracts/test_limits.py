"""Every limiter keeps this contract."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from adapters.memory.limits import MemoryRateLimiter
from adapters.redis.client import make_client
from adapters.redis.limits import RedisRateLimiter
from application.usage.ports import RateLimiter
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited, Standing
from tests.redis_servers import REDIS_URL, redis_is_reachable, valkey

SERVERS = ["memory", "valkey", "redis"] if redis_is_reachable() else ["memory", "valkey"]
THREE_A_MINUTE = Limit("minute", 3, 60)
FIVE_A_DAY = Limit("day", 5, 86_400)


@dataclass(frozen=True)
class Subject:
    """A limiter, one workspace, and a way to let time pass for it."""

    limiter: RateLimiter
    workspace: WorkspaceId
    elapse: Callable[[float], Awaitable[None]]

    async def hit(self, *limits: Limit, product: str = "api") -> tuple[Standing, ...]:
        return await self.limiter.hit(self.workspace, product, limits)

    async def refusal(self, *limits: Limit) -> RateLimited:
        with pytest.raises(RateLimited) as caught:
            await self.hit(*limits)
        return caught.value


def in_memory() -> Subject:
    time = [1000.0]

    async def elapse(seconds: float) -> None:
        time[0] += seconds

    return Subject(MemoryRateLimiter(lambda: time[0]), WorkspaceId(uuid4()), elapse)


def in_redis(client: Redis) -> Subject:
    workspace = WorkspaceId(uuid4())

    async def elapse(seconds: float) -> None:
        """The server's clock cannot be set: what was counted is moved into the past instead."""
        async for key in client.scan_iter(match=f"*{workspace.hex}*"):
            figures = [int(each) for each in await client.lrange(key, 0, -1)]
            figures[::2] = [at and at - int(seconds * 1000) for at in figures[::2]]
            left = await client.pttl(key) - int(seconds * 1000)
            await client.delete(key)
            if left > 0:
                await client.rpush(key, *figures)
                await client.pexpire(key, left)

    return Subject(RedisRateLimiter(client), workspace, elapse)


@pytest.fixture(scope="module")
def valkey_url() -> Iterator[str]:
    with valkey() as server:
        yield server.url


@pytest.fixture(params=SERVERS)
async def subject(request: pytest.FixtureRequest) -> AsyncIterator[Subject]:
    if request.param == "memory":
        yield in_memory()
        return
    url = REDIS_URL if request.param == "redis" else request.getfixturevalue("valkey_url")
    async with make_client(url, timeout=5) as client:
        yield in_redis(client)


async def test_without_limits_there_is_nothing_to_say(subject: Subject) -> None:
    assert await subject.hit() == ()


async def test_each_call_is_counted_under_every_limit(subject: Subject) -> None:
    await subject.hit(THREE_A_MINUTE, FIVE_A_DAY)
    assert await subject.hit(THREE_A_MINUTE, FIVE_A_DAY) == (
        Standing(THREE_A_MINUTE, remaining=1, reset=60),
        Standing(FIVE_A_DAY, remaining=3, reset=86_400),
    )


async def test_what_is_used_up_is_refused_until_the_oldest_call_has_left(subject: Subject) -> None:
    for _ in range(3):
        await subject.hit(THREE_A_MINUTE)
        await subject.elapse(10)
    refusal = await subject.refusal(THREE_A_MINUTE, FIVE_A_DAY)
    assert (refusal.limit, refusal.retry_after) == ("minute", 30)
    assert refusal.standings == (
        Standing(THREE_A_MINUTE, remaining=0, reset=30),
        Standing(FIVE_A_DAY, remaining=5, reset=86_400),
    )
    await subject.elapse(29)
    await subject.refusal(THREE_A_MINUTE)
    await subject.elapse(1)
    assert await subject.hit(THREE_A_MINUTE) == (Standing(THREE_A_MINUTE, remaining=0, reset=10),)


async def test_a_refused_call_is_not_counted(subject: Subject) -> None:
    for _ in range(3):
        await subject.hit(THREE_A_MINUTE)
    await subject.elapse(30)
    await subject.refusal(THREE_A_MINUTE)
    await subject.elapse(30)
    assert (await subject.hit(THREE_A_MINUTE))[0].remaining == 2


async def test_a_call_that_one_limit_refuses_is_not_counted_by_the_others(subject: Subject) -> None:
    for _ in range(3):
        await subject.hit(THREE_A_MINUTE, FIVE_A_DAY)
    for _ in range(9):
        await subject.refusal(THREE_A_MINUTE, FIVE_A_DAY)
    await subject.elapse(600)
    assert [each.remaining for each in await subject.hit(THREE_A_MINUTE, FIVE_A_DAY)] == [2, 1]
    await subject.hit(THREE_A_MINUTE, FIVE_A_DAY)
    refusal = await subject.refusal(THREE_A_MINUTE, FIVE_A_DAY)
    assert (refusal.limit, refusal.retry_after) == ("day", 85_800)
    assert [each.remaining for each in refusal.standings] == [1, 0]


async def test_where_several_limits_are_used_up_the_longest_wait_is_told(subject: Subject) -> None:
    twice_a_day = Limit("day", 2, 86_400)
    twice_a_minute = Limit("minute", 2, 60)
    await subject.hit(twice_a_minute, twice_a_day)
    await subject.hit(twice_a_minute, twice_a_day)
    refusal = await subject.refusal(twice_a_minute, twice_a_day)
    assert (refusal.limit, refusal.retry_after) == ("day", 86_400)


async def test_workspaces_and_products_are_counted_apart(subject: Subject) -> None:
    for _ in range(3):
        await subject.hit(THREE_A_MINUTE)
    await subject.refusal(THREE_A_MINUTE)
    assert (await subject.hit(THREE_A_MINUTE, product="personal"))[0].remaining == 2
    standings = await subject.limiter.hit(WorkspaceId(uuid4()), "api", (THREE_A_MINUTE,))
    assert standings[0].remaining == 2


async def test_of_many_at_once_exactly_as_many_pass_as_fit(subject: Subject) -> None:
    ten = Limit("minute", 10, 60)
    answers = await asyncio.gather(*(subject.hit(ten) for _ in range(150)), return_exceptions=True)
    passed = [each for each in answers if not isinstance(each, BaseException)]
    assert sorted(each[0].remaining for each in passed) == list(range(10))
    assert sum(isinstance(each, RateLimited) for each in answers) == 140


async def test_a_changed_limit_still_knows_what_was_used(subject: Subject) -> None:
    for _ in range(3):
        await subject.hit(THREE_A_MINUTE)
    assert (await subject.hit(Limit("minute", 10, 60)))[0].remaining == 6
    assert (await subject.refusal(Limit("minute", 1, 60))).standings[0].remaining == 0


async def test_a_limit_of_nothing_refuses_everything(subject: Subject) -> None:
    refusal = await subject.refusal(Limit("minute", 0, 60))
    assert refusal.retry_after == 60


async def test_a_busy_window_that_lay_idle_is_empty_again(subject: Subject) -> None:
    for _ in range(3):
        await subject.hit(THREE_A_MINUTE, FIVE_A_DAY)
        await subject.elapse(1)
    await subject.elapse(86_400)
    assert [each.remaining for each in await subject.hit(THREE_A_MINUTE, FIVE_A_DAY)] == [2, 4]
