"""A revoked key is refused in every process within a second, by word of mouth or by age."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ids import key_text
from tests.servers import PATIENCE, Server, eventually, two_serving
from tests.shop import Caller, Seller, Shop, Tenant

AT_ONCE = 0.5  # seconds: well under the age at which a process asks again by itself
LISTENING = sa.text("""
SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%'
""")
DEAFEN = sa.text("""
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND query ILIKE 'listen%'
""")


@pytest.fixture(scope="module")
def processes(
    sold_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Server, Server]]:
    with two_serving(sold_database, tmp_path_factory.mktemp("servers")) as both:
        yield both


@pytest.fixture
async def clients(processes: tuple[Server, Server]) -> AsyncIterator[list[httpx.AsyncClient]]:
    async with AsyncExitStack() as opened:
        yield [
            await opened.enter_async_context(httpx.AsyncClient(base_url=each.url, timeout=PATIENCE))
            for each in processes
        ]


async def listeners(services: AsyncContainer) -> int:
    async with (await services.get(AsyncEngine)).connect() as connection:
        return len((await connection.execute(LISTENING)).all())


async def all_listen(services: AsyncContainer) -> None:
    async def so() -> bool:
        return await listeners(services) == 2

    await eventually(so)


async def none_listens(services: AsyncContainer) -> None:
    async def so() -> bool:
        async with (await services.get(AsyncEngine)).connect() as connection:
            await connection.execute(DEAFEN)
        return await listeners(services) == 0

    await eventually(so)


async def last_accepted(caller: Caller, *, until: int) -> float:
    """When the last request was sent that was served; asks until one is answered by ``until``."""
    last = float("-inf")
    async with asyncio.timeout(PATIENCE):
        while True:
            sent = time.monotonic()
            answer = await caller.get("/v1/balance")
            if answer.status_code == until:
                return last
            assert answer.status_code == 200
            last = sent


async def served_for(shop: Shop, tenant: Tenant, clients: list[httpx.AsyncClient]) -> float:
    """How many seconds after its revocation a key was still served by any of the processes."""
    key = await shop.key(tenant.account)
    callers = [Caller(client, key.text) for client in clients]
    for caller in callers:  # each knows it now, as fresh as can be
        assert (await caller.get("/v1/balance")).status_code == 200
    asking = [asyncio.create_task(last_accepted(caller, until=403)) for caller in callers]
    await shop.revoke(key_text(key.key.id))
    revoked = time.monotonic()
    return max(await asyncio.gather(*asking)) - revoked


async def test_every_process_hears_of_it_at_once(
    services: AsyncContainer, shop: Shop, tenant: Tenant, clients: list[httpx.AsyncClient]
) -> None:
    await all_listen(services)
    assert await served_for(shop, tenant, clients) < AT_ONCE


async def test_a_process_that_hears_nothing_obeys_within_a_second(
    services: AsyncContainer, shop: Shop, tenant: Tenant, clients: list[httpx.AsyncClient]
) -> None:
    await all_listen(services)
    await none_listens(services)
    assert await served_for(shop, tenant, clients) < 1
    await all_listen(services)
    assert await served_for(shop, tenant, clients) < AT_ONCE


async def test_a_service_key_is_refused_by_every_process_at_once(
    services: AsyncContainer, shop: Shop, tenant: Tenant, clients: list[httpx.AsyncClient]
) -> None:
    await all_listen(services)
    made = await shop.service_key()
    sellers = [Seller(client, made.text) for client in clients]
    id = await sellers[0].reserved(tenant)
    assert [(await seller.look(id)).status_code for seller in sellers] == [200, 200]
    await shop.revoke(key_text(made.key.id))

    async def refused() -> bool:
        return {(await seller.look(id)).status_code for seller in sellers} == {401}

    await eventually(refused, within=1)


async def test_a_frozen_workspace_is_refused_by_every_process_from_that_instant(
    shop: Shop, seller: Seller, tenant: Tenant, clients: list[httpx.AsyncClient]
) -> None:
    sellers = [Seller(client, seller.key) for client in clients]
    for each in sellers:
        await each.reserved(tenant)
    await shop.freeze(tenant)
    answers = [await each.reserve(tenant) for each in sellers]
    assert [answer.json()["code"] for answer in answers] == ["workspace_frozen"] * 2
