from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from dishka import Provider, Scope, make_async_container
from litestar import Litestar
from litestar.datastructures import State
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import asyncpg_url, make_engine
from adapters.postgres.health import SqlHealth
from adapters.redis.client import make_client
from adapters.redis.health import RedisHealth
from application.health import CheckHealth
from entrypoints.http import health
from tests.redis_servers import Server, valkey


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with valkey() as server:
        yield server


@pytest.fixture
async def redis(server: Server) -> AsyncIterator[Redis]:
    server.start()
    async with make_client(server.url, timeout=5) as client:
        yield client


async def ask(path: str, *dependencies: Any) -> httpx.Response:  # noqa: ANN401 - of several kinds
    provider = Provider(scope=Scope.APP)
    provider.provide(lambda: CheckHealth(dependencies), provides=CheckHealth)
    services = make_async_container(provider)
    state = State({"services": services})
    app: Any = Litestar(health.HANDLERS, state=state, openapi_config=None, logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get(path)
    await services.close()
    return answer


async def test_a_process_that_answers_is_alive_whatever_else_is() -> None:
    answer = await ask("/health/live")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


async def test_with_everything_there_requests_can_be_served(engine: AsyncEngine, redis: Redis) -> None:
    answer = await ask("/health/ready", SqlHealth(engine), RedisHealth(redis))
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json()["status"] == "ready"
    database, cache = answer.json()["dependencies"]
    assert 0 < database.pop("latency_ms") < 2000
    assert 0 < cache.pop("latency_ms") < 2000
    assert database.pop("detail").startswith("PostgreSQL 1")
    assert database == {"name": "database", "ok": True, "vital": True}
    assert cache == {"name": "redis", "ok": True, "vital": False, "detail": "answers"}


async def test_without_redis_requests_are_served_all_the_same(
    engine: AsyncEngine, redis: Redis, server: Server
) -> None:
    server.stop()
    answer = await ask("/health/ready", SqlHealth(engine), RedisHealth(redis))
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["dependencies"][1]["detail"] == (
        "cannot be asked: ConnectionError; each process counts rate limits for itself"
    )


async def test_without_the_database_requests_cannot_be_served(redis: Redis) -> None:
    engine = make_engine("postgresql+asyncpg://someone:secret@127.0.0.1:1/nowhere")
    answer = await ask("/health/ready", SqlHealth(engine), RedisHealth(redis))
    await engine.dispose()
    assert answer.status_code == 503
    assert answer.json()["status"] == "unavailable"
    assert answer.json()["dependencies"][0]["detail"] == "cannot be asked: ConnectionRefusedError"
    assert "secret" not in answer.text


async def test_an_unknown_user_of_the_database_is_not_named(shared_database: str) -> None:
    url = sa.make_url(asyncpg_url(shared_database)).set(username="nobody")
    engine = make_engine(url.render_as_string(hide_password=False))
    answer = await ask("/health/ready", SqlHealth(engine))
    await engine.dispose()
    assert answer.status_code == 503
    assert "nobody" not in answer.text
