"""The same request, once in effect, however often it comes."""

import asyncio

import pytest

from tests.shop import CHARGED, ESTIMATE, FEATURE, Caller, Seller, Shop, Tenant

PATH = "/v1/reservations"


async def test_a_reservation_needs_an_idempotency_key(seller: Seller, tenant: Tenant) -> None:
    body = {"api_key": tenant.live, "feature": FEATURE, "estimate": ESTIMATE}
    answer = await seller.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_missing")
    assert answer.headers["content-type"] == "application/problem+json"


MALFORMED = [
    "",
    '""',
    " ",
    "two words",
    '"open',
    'closed"',
    '"a"b',
    '"a\\"b"',
    "a\\b",
    "ü",
    "a\tb",
    "x" * 256,
]


@pytest.mark.parametrize("key", [*MALFORMED, '"' + "x" * 256 + '"'])
async def test_a_key_that_is_no_key_is_refused(seller: Seller, tenant: Tenant, key: str) -> None:
    answer = await seller.http.post(
        PATH,
        json={"api_key": tenant.live, "feature": FEATURE, "estimate": ESTIMATE},
        headers=[
            (b"Authorization", b"Bearer " + seller.key.encode()),
            (b"Idempotency-Key", key.encode("latin-1")),
        ],
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "idempotency_key_malformed")


@pytest.mark.parametrize(
    "key", ["x", "x" * 255, '"two words"', "8e03978e-40d5-43e8-bc93-6894a57f9324", "~!#"]
)
async def test_a_key_may_be_anything_printable(seller: Seller, tenant: Tenant, key: str) -> None:
    assert (await seller.reserve(tenant, request=key)).status_code == 201


async def test_with_quotes_or_without_it_is_the_same_key(seller: Seller, tenant: Tenant) -> None:
    bare = await seller.reserve(tenant, request="abc")
    quoted = await seller.reserve(tenant, request='"abc"')
    assert quoted.json() == bare.json()
    assert quoted.headers["idempotency-replayed"] == "true"


async def test_a_repeat_gets_the_first_answer_and_is_told_so(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    first = await seller.reserve(tenant, request="a")
    assert "idempotency-replayed" not in first.headers
    await seller.reserve(tenant, request="b")
    repeat = await seller.reserve(tenant, request="a")
    assert (repeat.status_code, repeat.json()) == (201, first.json())
    assert repeat.headers["idempotency-replayed"] == "true"
    assert (await customer.get("/v1/balance")).json()["held"] == "4"


async def test_a_repeat_after_the_end_still_gets_the_first_answer(seller: Seller, tenant: Tenant) -> None:
    first = await seller.reserve(tenant, request="a")
    await seller.commit(first.json()["id"])
    repeat = await seller.reserve(tenant, request="a")
    assert (repeat.status_code, repeat.json()) == (201, first.json())


async def test_a_repeat_is_answered_when_the_credits_are_gone(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant(amount="2")
    first = await seller.reserve(tenant, request="a")
    assert (await seller.reserve(tenant, request="b")).status_code == 402
    assert (await seller.reserve(tenant, request="a")).json() == first.json()


async def test_what_was_refused_may_be_tried_again(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant(amount="1")
    assert (await seller.reserve(tenant, request="a")).status_code == 402
    await shop.grant(tenant.account, "1")
    again = await seller.reserve(tenant, request="a")
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


async def test_the_same_said_in_other_words_is_the_same(seller: Seller, tenant: Tenant) -> None:
    first = await seller.reserve(tenant, request="a")
    repeat = await seller.http.post(
        PATH,
        content=(
            b'{ "fit": "exact", "expires_in": 900, "feature": "summar\\u0069ze",'
            b' "estimate": {"units": 0, "max_output_tokens": 300, "input_tokens": 1000},'
            b' "api_key": "' + tenant.live.encode() + b'"}'
        ),
        headers={
            "Authorization": f"Bearer {seller.key}",
            "Idempotency-Key": "a",
            "Content-Type": "application/json; charset=utf-8",
        },
    )
    assert repeat.json() == first.json()


@pytest.mark.parametrize(
    "changed",
    [
        {"feature": "echo"},
        {"estimate": {**ESTIMATE, "units": 1}},
        {"fit": "clamp"},
        {"expires_in": 901},
    ],
)
async def test_another_request_with_the_same_key_is_refused(
    seller: Seller, tenant: Tenant, changed: dict[str, object]
) -> None:
    await seller.reserve(tenant, request="a")
    answer = await seller.reserve(tenant, request="a", **changed)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")


async def test_two_tenants_may_use_the_same_key(seller: Seller, shop: Shop, tenant: Tenant) -> None:
    mine = await seller.reserve(tenant, request="a")
    theirs = await seller.reserve(await shop.tenant(), request="a")
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]


async def test_fifty_at_once_make_one_reservation_and_get_one_answer(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    answers = await asyncio.gather(*(seller.reserve(tenant, request="a") for _ in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == 49
    assert (await customer.get("/v1/balance")).json()["held"] == "2"


@pytest.mark.parametrize("times", [2, 50])
async def test_commits_at_once_charge_once(
    seller: Seller, tenant: Tenant, customer: Caller, times: int
) -> None:
    id = await seller.reserved(tenant)
    answers = await asyncio.gather(*(seller.commit(id) for _ in range(times)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" in answer.headers for answer in answers) == times - 1
    (record,) = (await customer.get("/v1/usage/records")).json()["items"]
    assert record["charged"] == CHARGED
    assert (await customer.get("/v1/balance")).json()["available"] == "998.48"
