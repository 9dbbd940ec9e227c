"""Every way in which a reservation is refused, each by a code of its own."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest

from domain.ids import AccountId, account_text
from domain.keys.key import KeyKind, key_text
from tests.shop import ESTIMATE, FEATURE, HELD, Caller, Seller, Shop, Tenant

PATH = "/v1/reservations"


def problem(answer: httpx.Response) -> dict[str, Any]:
    """What is told besides the usual, once that is found in order."""
    body: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body.pop("type") == f"https://errors.cuebx.dev/{body['code']}"
    assert body.pop("status") == answer.status_code
    assert body.pop("title")
    assert body.pop("detail")
    return body


async def test_without_enough_credits_it_is_told_what_is_needed_and_what_there_is(
    seller: Seller, shop: Shop
) -> None:
    poor = await shop.tenant(amount="1.999999")
    answer = await seller.reserve(poor)
    assert answer.status_code == 402
    assert problem(answer) == {"code": "insufficient_credits", "needed": HELD, "available": "1.999999"}
    balance = (await Caller(seller.http, poor.live).get("/v1/balance")).json()
    assert (balance["available"], balance["held"]) == ("1.999999", "0")


async def test_what_is_held_for_one_is_not_there_for_another(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant(amount="3")
    id = await seller.reserved(tenant)
    assert (await seller.reserve(tenant)).json()["available"] == "1"
    await seller.release(id)
    assert (await seller.reserve(tenant)).status_code == 201


async def test_a_key_that_nobody_was_given_is_unknown(seller: Seller, tenant: Tenant) -> None:
    answer = await seller.reserve(tenant, api_key=key_text(KeyKind.LIVE, bytes(32)))
    assert answer.status_code == 403
    assert problem(answer) == {"code": "api_key_unknown"}


@pytest.mark.parametrize("wrong", ["cbx_live_", "nonsense", "cbx_live_" + "0" * 49, "schlüssel"])
async def test_what_is_no_key_is_unknown(seller: Seller, tenant: Tenant, wrong: str) -> None:
    assert problem(await seller.reserve(tenant, api_key=wrong)) == {"code": "api_key_unknown"}


async def test_a_service_key_is_nobodys_api_key(seller: Seller, tenant: Tenant) -> None:
    answer = await seller.reserve(tenant, api_key=seller.key)
    assert answer.status_code == 403
    assert problem(answer) == {"code": "api_key_unknown"}


async def test_a_mistyped_key_is_unknown(seller: Seller, tenant: Tenant) -> None:
    last = "0" if tenant.live[-1] != "0" else "1"
    answer = await seller.reserve(tenant, api_key=tenant.live[:-1] + last)
    assert problem(answer) == {"code": "api_key_unknown"}


async def test_a_revoked_key_is_refused_and_told_since_when(
    seller: Seller, shop: Shop, tenant: Tenant
) -> None:
    before = datetime.now(UTC)
    await shop.revoke(tenant.live_id)
    answer = await seller.reserve(tenant)
    assert answer.status_code == 403
    told = problem(answer)
    assert before <= datetime.fromisoformat(told.pop("revoked_at")) <= datetime.now(UTC)
    assert told == {"code": "api_key_revoked"}
    assert (await seller.reserve(tenant, api_key=tenant.test)).status_code == 201


async def test_an_expired_key_is_refused_and_told_since_when(
    seller: Seller, shop: Shop, tenant: Tenant
) -> None:
    ended = datetime.now(UTC) - timedelta(seconds=1)
    key = await shop.key(tenant.account, expires_at=ended)
    answer = await seller.reserve(tenant, api_key=key.text)
    assert answer.status_code == 403
    told = problem(answer)
    assert datetime.fromisoformat(told.pop("expired_at")) == ended
    assert told == {"code": "api_key_expired"}


async def test_a_frozen_workspace_spends_nothing_until_it_is_thawed(
    seller: Seller, shop: Shop, tenant: Tenant
) -> None:
    await shop.freeze(tenant)
    for who in ({"api_key": tenant.live}, {"api_key": None, "account_id": tenant.account}):
        answer = await seller.reserve(tenant, **who)
        assert answer.status_code == 403
        assert problem(answer) == {"code": "workspace_frozen"}
    await shop.unfreeze(tenant)
    assert (await seller.reserve(tenant)).status_code == 201


async def test_a_parked_account_spends_nothing_and_others_do(
    seller: Seller, shop: Shop, tenant: Tenant
) -> None:
    held = await seller.reserved(tenant)
    await shop.park(tenant)
    answer = await seller.reserve(tenant)
    assert answer.status_code == 403
    assert problem(answer) == {"code": "account_parked"}
    assert (await seller.commit(held)).status_code == 200
    caller = Caller(seller.http, tenant.live)
    assert (await caller.get("/v1/balance")).status_code == 200
    assert (await seller.reserve(await shop.tenant())).status_code == 201


async def test_a_feature_outside_the_plan_is_refused(seller: Seller, shop: Shop) -> None:
    individual = await shop.tenant("personal/free")
    answer = await seller.reserve(individual, feature="classify")
    assert answer.status_code == 403
    told = {"code": "feature_not_in_plan", "feature": "classify", "plan": "personal/free@1"}
    assert problem(answer) == told


async def test_a_feature_that_nobody_sells_is_in_no_plan(seller: Seller, tenant: Tenant) -> None:
    assert problem(await seller.reserve(tenant, feature="dream"))["code"] == "feature_not_in_plan"


async def test_an_unknown_account_is_missing(seller: Seller, tenant: Tenant) -> None:
    account = account_text(AccountId(uuid4()))
    answer = await seller.reserve(tenant, api_key=None, account_id=account)
    assert answer.status_code == 404
    assert problem(answer) == {"code": "account_missing"}


@pytest.mark.parametrize("account", ["acc_", "nonsense", "acc_" + "8" * 26, "acc_" + "u" * 26])
async def test_an_id_of_the_wrong_form_is_told(seller: Seller, tenant: Tenant, account: str) -> None:
    answer = await seller.reserve(tenant, api_key=None, account_id=account)
    assert answer.status_code == 422
    assert problem(answer) == {"code": "malformed_id", "given": account, "expected": "acc"}


async def test_an_id_of_another_kind_is_told(seller: Seller, tenant: Tenant) -> None:
    answer = await seller.reserve(tenant, api_key=None, account_id=tenant.workspace)
    assert problem(answer) == {"code": "malformed_id", "given": tenant.workspace, "expected": "acc"}


async def test_a_limited_plan_says_where_the_workspace_stands(seller: Seller, shop: Shop) -> None:
    individual = await shop.tenant("personal/free")
    answers = [await seller.reserve(individual) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201] * 3
    policies = {answer.headers["ratelimit-policy"] for answer in answers}
    assert policies == {'"minute";q=3;w=60, "day";q=30;w=86400'}
    standings = [answer.headers["ratelimit"].split(", ") for answer in answers]
    assert [minute.rpartition(";t=")[0] for minute, _ in standings] == [f'"minute";r={n}' for n in (2, 1, 0)]
    assert [day.rpartition(";t=")[0] for _, day in standings] == [f'"day";r={n}' for n in (29, 28, 27)]
    assert all("retry-after" not in answer.headers for answer in answers)


async def test_beyond_its_limit_a_workspace_is_told_when_to_come_back(seller: Seller, shop: Shop) -> None:
    individual = await shop.tenant("personal/free")
    for _ in range(3):
        await seller.reserve(individual)
    answer = await seller.reserve(individual)
    assert answer.status_code == 429
    told = problem(answer)
    assert 0 < told["retry_after"] <= 60
    assert told == {"code": "rate_limited", "limit": "minute", "retry_after": told["retry_after"]}
    assert answer.headers["retry-after"] == str(told["retry_after"])
    assert answer.headers["ratelimit"].startswith(f'"minute";r=0;t={told["retry_after"]}, "day";r=27')
    assert answer.headers["ratelimit-policy"] == '"minute";q=3;w=60, "day";q=30;w=86400'
    balance = (await Caller(seller.http, individual.live).get("/v1/balance")).json()
    assert balance["held"] == "6"


async def test_beyond_its_limit_a_repeat_still_gets_the_first_answer(seller: Seller, shop: Shop) -> None:
    individual = await shop.tenant("personal/free")
    first = await seller.reserve(individual, request="a")
    for _ in range(3):
        await seller.reserve(individual)
    repeat = await seller.reserve(individual, request="a")
    assert (repeat.status_code, repeat.json()) == (201, first.json())
    assert repeat.headers["idempotency-replayed"] == "true"
    assert repeat.headers["ratelimit"].startswith('"minute";r=0;')
    assert (await seller.reserve(individual, request="b")).status_code == 429


async def test_the_keys_of_a_workspace_share_its_limit_and_no_other_has_a_part_in_it(
    seller: Seller, shop: Shop
) -> None:
    individual, neighbour = await shop.tenant("personal/free"), await shop.tenant("personal/free")
    for key in (individual.live, individual.test, (await shop.key(individual.account)).text):
        assert (await seller.reserve(individual, api_key=key)).status_code == 201
    assert (await seller.reserve(individual)).status_code == 429
    assert (await seller.reserve(neighbour)).status_code == 201


async def test_a_plan_without_limits_says_nothing_of_them(seller: Seller, tenant: Tenant) -> None:
    answer = await seller.reserve(tenant)
    assert not [name for name in answer.headers if name.startswith("ratelimit")]


async def test_settling_is_never_limited(seller: Seller, shop: Shop) -> None:
    individual = await shop.tenant("personal/free")
    ids = [await seller.reserved(individual) for _ in range(3)]
    assert [(await seller.commit(id)).status_code for id in ids] == [200] * 3


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({}, "feature"),
        ({"feature": FEATURE}, "estimate"),
        ({"feature": 1, "estimate": ESTIMATE}, "$.feature"),
        ({"feature": "No Key!", "estimate": ESTIMATE}, "$.feature"),
        ({"feature": FEATURE, "estimate": ESTIMATE, "fit": "tight"}, "$.fit"),
        ({"feature": FEATURE, "estimate": ESTIMATE, "more": 1}, "more"),
        ({"feature": FEATURE, "estimate": {**ESTIMATE, "output_tokens": 1}}, "$.estimate"),
    ],
)
async def test_a_body_that_is_not_in_order_is_told_where(
    seller: Seller, body: dict[str, object], at: str
) -> None:
    answer = await seller.post(PATH, {"api_key": "x", **body}, headers={"Idempotency-Key": "x"})
    assert answer.status_code == 422
    assert at in answer.json()["detail"]
    assert problem(answer) == {"code": "invalid_request"}
