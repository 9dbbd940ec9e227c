"""The whole HTTP interface in this process, over a database where the sample catalog is sold."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from dishka import AsyncContainer

from entrypoints.http import evenly
from entrypoints.http.app import create_app
from tests.conftest import TEMPLATE, renamed, run_sql
from tests.http.documented import is_documented
from tests.shop import Caller, Seller, Shop, Tenant, open_shop, services_on


@pytest.fixture(scope="package", autouse=True)
def hurried() -> Iterator[None]:
    """What takes as long for everybody takes no longer than it must, here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(evenly, "FLOOR", 0.0)
        yield


@pytest.fixture(scope="session")
def sold_database(embedded_server: str) -> str:
    """What all tests of a kind share: each makes tenants of its own."""
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE cuebx_http TEMPLATE {TEMPLATE}"))
    url = renamed(embedded_server, "cuebx_http")
    asyncio.run(open_shop(url))
    return url


@pytest.fixture(scope="module")
async def services(sold_database: str) -> AsyncIterator[AsyncContainer]:
    async with services_on(sold_database) as services:
        yield services


@pytest.fixture(scope="module")
async def http(services: AsyncContainer) -> AsyncIterator[httpx.AsyncClient]:
    """Nobody in particular, in front of the application. All that it answers has to be documented."""
    app: Any = create_app(services)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://test", event_hooks={"response": [is_documented]}
    ) as client:
        yield client


@pytest.fixture(scope="module")
def shop(services: AsyncContainer) -> Shop:
    return Shop(services)


@pytest.fixture(scope="module")
async def seller(http: httpx.AsyncClient, shop: Shop) -> Seller:
    return Seller(http, (await shop.service_key()).text)


@pytest.fixture
async def tenant(shop: Shop) -> Tenant:
    """1000 credits, on a plan that limits no calls."""
    return await shop.tenant()


@pytest.fixture
def customer(http: httpx.AsyncClient, tenant: Tenant) -> Caller:
    """The tenant's program."""
    return Caller(http, tenant.live)
