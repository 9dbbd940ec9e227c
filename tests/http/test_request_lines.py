"""What the log tells of requests to the real application."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dishka import AsyncContainer
from prometheus_client import CollectorRegistry

from entrypoints.http.app import create_app
from entrypoints.http.metrics import HttpMetrics
from entrypoints.http.observability import Observability
from tests.http.logs import Stream, logging_to
from tests.shop import Caller, Seller, Shop, Tenant


@pytest.fixture
def stream() -> Stream:
    return Stream()


@pytest.fixture
async def http(services: AsyncContainer, stream: Stream) -> AsyncIterator[httpx.AsyncClient]:
    """As the other tests have it, with what a server puts around the application."""
    with logging_to(stream) as log:
        metrics = HttpMetrics(CollectorRegistry())
        app: Any = Observability(create_app(services), log=log, metrics=metrics, new_id=uuid4)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
            yield client


@pytest.fixture
async def seller(http: httpx.AsyncClient, shop: Shop) -> Seller:
    return Seller(http, (await shop.service_key()).text)


async def lines(http: httpx.AsyncClient, stream: Stream, count: int) -> list[dict[str, Any]]:
    """The first ``count`` lines, pushed out by one more request."""
    while len(stream.lines) < count:
        await http.get("/health/live")
    return stream.lines[:count]


async def test_a_service_call_names_the_workspace_that_pays_and_the_reservation(
    http: httpx.AsyncClient, stream: Stream, seller: Seller, tenant: Tenant
) -> None:
    id = await seller.reserved(tenant)
    await seller.reserve(tenant, api_key=None, account_id=tenant.account)
    await seller.commit(id)
    by_key, by_account, settled = await lines(http, stream, 3)
    assert (by_key["workspace"], by_key["reservation"]) == (tenant.workspace, id)
    assert by_account["workspace"] == tenant.workspace
    assert (settled["route"], settled["reservation"]) == ("/v1/reservations/{reservation}/commit", id)


async def test_a_refusal_is_told_with_its_code_and_no_key(
    http: httpx.AsyncClient, stream: Stream, seller: Seller, shop: Shop
) -> None:
    poor = await shop.tenant(amount="0")
    await seller.reserve(poor, feature="summarize")
    await Caller(http, poor.live[:-1] + "!").get("/v1/balance")
    await seller.reserve(poor, api_key=poor.live[:-1])
    unaffordable, malformed, unknown = await lines(http, stream, 3)
    assert (unaffordable["status"], unaffordable["code"]) == (402, "insufficient_credits")
    assert unaffordable["workspace"] == poor.workspace
    assert malformed["status"] in {401, 403}
    assert unknown["status"] == 403
    assert poor.live[10:30] not in stream.text


async def test_a_run_names_its_workspace_and_nothing_of_what_was_said(
    http: httpx.AsyncClient, stream: Stream, customer: Caller, tenant: Tenant
) -> None:
    answer = await customer.post("/v1/features/echo/runs", {"input": {"text": "my own words"}})
    await customer.post("/v1/features/echo/runs", {"input": {"text": 7, "other": "my own words"}})
    ran, refused = await lines(http, stream, 2)
    assert answer.status_code == 200, answer.text
    assert (ran["workspace"], refused["workspace"]) == (tenant.workspace, tenant.workspace)
    assert "reservation" in ran
    assert "own words" not in stream.text
