from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.redis.client import make_client
from adapters.redis.fallback import FallbackLimiter
from adapters.redis.health import RedisHealth
from adapters.redis.limits import RedisRateLimiter
from application.health import Dependency
from application.usage.ports import RateLimiter


@asynccontextmanager
async def shared_limits(url: str, own: RateLimiter) -> AsyncIterator[tuple[RateLimiter, Dependency]]:
    """Limits that all processes count together, ``own`` while Redis is away; and how to ask whether it is."""
    client = make_client(url)
    try:
        yield FallbackLimiter(RedisRateLimiter(client), own), RedisHealth(client)
    finally:
        await client.aclose()
