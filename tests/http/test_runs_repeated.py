"""A run that is asked for again, and keys that are not its own."""

import httpx
import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.ids import parse_account
from entrypoints.http.idempotency import idempotency_key
from entrypoints.http.problems import Refusal
from tests.shop import Caller, Seller, Shop, Tenant

ECHO = "/v1/features/echo/runs"
HELLO = {"input": {"text": "hello"}}
KEY = {"Idempotency-Key": "k1"}


async def available(customer: Caller) -> str:
    balance: str = (await customer.get("/v1/balance")).json()["available"]
    return balance


async def test_a_repeat_is_replayed(customer: Caller) -> None:
    first = await customer.post(ECHO, HELLO, headers=KEY)
    again = await customer.post(ECHO, HELLO, headers=KEY)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await available(customer) == first.json()["available"]


@pytest.mark.parametrize("key", ["k1", "run:k1", '"run k1"', "run'k1", "run"])
async def test_no_key_of_a_reservation_is_that_of_a_run(
    customer: Caller, seller: Seller, tenant: Tenant, key: str
) -> None:
    run = await customer.post(ECHO, HELLO, headers=KEY)
    assert run.status_code == 200
    answer = await seller.reserve(tenant, request=key)
    assert answer.status_code == 201
    assert "idempotency-replayed" not in answer.headers


async def test_what_a_run_is_written_down_as_no_header_can_say(
    customer: Caller, tenant: Tenant, services: AsyncContainer
) -> None:
    for headers in (KEY, {}):
        await customer.post(ECHO, HELLO, headers=headers)
    requests = sa.text("SELECT request FROM reservation WHERE account_id = :account")
    async with (await services.get(AsyncEngine)).connect() as connection:
        written = list(await connection.scalars(requests, {"account": parse_account(tenant.account)}))
    assert len(written) == 2
    for request in written:
        with pytest.raises(Refusal):
            idempotency_key(request.encode(), required=True)
        with pytest.raises(Refusal):
            idempotency_key(f'"{request}"'.encode(), required=True)


async def test_beyond_the_limit_a_repeat_is_replayed_all_the_same(
    http: httpx.AsyncClient, shop: Shop
) -> None:
    customer = Caller(http, (await shop.tenant("personal/free")).live)
    first = await customer.post(ECHO, HELLO, headers=KEY)
    for _ in range(3):
        limited = await customer.post(ECHO, HELLO)
    again = await customer.post(ECHO, HELLO, headers=KEY)
    assert limited.status_code == 429
    assert (again.status_code, again.json()) == (200, first.json())
    assert again.headers["idempotency-replayed"] == "true"


async def test_a_repeat_with_another_input_is_refused(customer: Caller) -> None:
    await customer.post(ECHO, HELLO, headers=KEY)
    answer = await customer.post(ECHO, {"input": {"text": "bye"}}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
