"""What was used, one by one."""

import asyncio
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from dishka import AsyncContainer

from application.usage.ports import Place
from domain.ids import ReservationId
from entrypoints.http.usage import read_cursor, write_cursor
from tests.http.spending import RECORDS, every_record, spend
from tests.shop import Caller, Seller, Shop, Tenant


@pytest.fixture(scope="module")
async def spender(services: AsyncContainer, seller: Seller, shop: Shop) -> Tenant:
    return await spend(services, seller, shop)


@pytest.fixture
def program(seller: Seller, spender: Tenant) -> Caller:
    return Caller(seller.http, spender.live)


@pytest.mark.parametrize("limit", [1, 7, 24, 48, 100])
async def test_walking_the_pages_meets_every_record_once(program: Caller, limit: int) -> None:
    records = await every_record(program, limit=limit)
    assert len({record["id"] for record in records}) == len(records) == RECORDS
    instants = [datetime.fromisoformat(record["recorded_at"]) for record in records]
    assert instants == sorted(instants, reverse=True)
    assert len(set(instants)) < len(instants)  # pages end between records of the same instant, too


async def test_a_page_has_fifty_records_unless_said(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant()
    ids = [await seller.reserved(tenant, feature="echo", estimate={}) for _ in range(51)]
    await asyncio.gather(*(seller.commit(id, {}) for id in ids))
    first = (await Caller(seller.http, tenant.live).get("/v1/usage/records")).json()
    assert len(first["items"]) == 50
    rest = await Caller(seller.http, tenant.live).get("/v1/usage/records", cursor=first["next_cursor"])
    assert len(rest.json()["items"]) == 1
    assert rest.json()["next_cursor"] is None


async def test_records_that_come_while_pages_are_walked_change_no_later_page(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    for _ in range(4):
        await seller.commit(await seller.reserved(tenant))
    first = (await customer.get("/v1/usage/records", limit=2)).json()
    before = (await customer.get("/v1/usage/records", limit=2, cursor=first["next_cursor"])).json()
    await seller.commit(await seller.reserved(tenant))
    after = (await customer.get("/v1/usage/records", limit=2, cursor=first["next_cursor"])).json()
    assert after == before


async def test_a_record_says_all_there_is_to_a_charge(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    id = await seller.reserved(tenant)
    await seller.commit(id, model="some-model", latency_ms=1234)
    explained = (await seller.look(id)).json()
    charge = explained["charge"]
    (record,) = (await customer.get("/v1/usage/records")).json()["items"]
    assert record == {
        "id": id,
        "recorded_at": charge.pop("at"),
        "feature": "summarize",
        "key_id": tenant.live_id,
        "test": False,
        "plan": explained["plan"],
        "price_version": explained["price_version"],
        **charge,
    }


async def test_a_tenant_sees_no_other_tenants_usage(
    seller: Seller, shop: Shop, tenant: Tenant, customer: Caller
) -> None:
    other = await shop.tenant()
    await seller.commit(await seller.reserved(other))
    assert (await customer.get("/v1/usage")).json()["items"] == []
    assert (await customer.get("/v1/usage/records")).json() == {"items": [], "next_cursor": None}


async def test_a_cursor_of_another_tenant_opens_nothing(
    seller: Seller, shop: Shop, tenant: Tenant, customer: Caller
) -> None:
    other = await shop.tenant()
    for _ in range(2):
        await seller.commit(await seller.reserved(other))
    cursor = (await Caller(seller.http, other.live).get("/v1/usage/records", limit=1)).json()["next_cursor"]
    assert (await customer.get("/v1/usage/records", cursor=cursor)).json()["items"] == []


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"by": "week"}, "invalid_request"),
        ({"by": "day,,month"}, "invalid_request"),
        ({"from": "yesterday"}, "invalid_request"),
        ({"from": "2026-11-01T00:00:00"}, "invalid_request"),
        ({"to": "2026-02-30"}, "invalid_request"),
        ({"to": "0001-01-01T00:00:00+14:00"}, "invalid_request"),
        ({"from": "2026-11-02", "to": "2026-11-01"}, "span_refused"),
        ({"from": "2026-11-01", "to": "2026-11-01"}, "span_refused"),
        ({"from": "2025-01-01", "to": "2026-11-01"}, "span_refused"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/usage", "/v1/usage/records"])
async def test_a_question_that_makes_no_sense_is_refused(
    program: Caller, path: str, query: dict[str, str], code: str
) -> None:
    if path.endswith("records") and "by" in query:
        query = {"cursor": query["by"]}
    answer = await program.get(path, **query)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


@pytest.mark.parametrize("limit", [0, 101, -1, "many"])
async def test_a_page_has_one_to_a_hundred_records(program: Caller, limit: object) -> None:
    answer = await program.get("/v1/usage/records", limit=str(limit))
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "invalid_request")
    assert [fault["at"] for fault in body["faults"]] == ["limit"]


@pytest.mark.parametrize("cursor", ["", "x", "AAAA", "ü", "_" * 32, "A" * 100])
async def test_a_cursor_that_was_not_given_out_is_refused(program: Caller, cursor: str) -> None:
    answer = await program.get("/v1/usage/records", cursor=cursor)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("at", ["2026-11-23T00:13:49.817532Z", "2089-05-05T12:34:56.654321Z"])
def test_a_cursor_keeps_its_place_to_the_microsecond(at: str) -> None:
    place = Place(datetime.fromisoformat(at), ReservationId(uuid4()))
    assert read_cursor(write_cursor(place)) == place
    later = Place(place.recorded_at + timedelta(microseconds=1), place.id)
    assert read_cursor(write_cursor(later)) == later
