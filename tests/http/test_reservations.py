"""To hold credits before a call."""

from datetime import datetime, timedelta

import pytest

from domain.usage.lot import Source
from tests.shop import ESTIMATE, FEATURE, HELD, Caller, Seller, Shop, Tenant

MOST = 10_000_000


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_reservation_says_what_it_holds_and_what_is_left(seller: Seller, tenant: Tenant) -> None:
    answer = await seller.reserve(tenant)
    assert answer.status_code == 201
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert body.pop("id").startswith("rsv_")
    instant(body.pop("expires_at"))
    assert body == {
        "state": "held",
        "account_id": tenant.account,
        "feature": FEATURE,
        "held": HELD,
        "available": "998",
        "affordable": {"calls": 499, "output_tokens": 300},
        "test": False,
    }


@pytest.mark.parametrize(
    ("said", "seconds"), [({}, 900), ({"expires_in": 1}, 1), ({"expires_in": 86400}, 86400)]
)
async def test_a_hold_lasts_900_seconds_unless_said_and_a_day_at_most(
    seller: Seller, tenant: Tenant, said: dict[str, int], seconds: int
) -> None:
    id = await seller.reserved(tenant, **said)
    body = (await seller.look(id)).json()
    assert instant(body["expires_at"]) - instant(body["created_at"]) == timedelta(seconds=seconds)


@pytest.mark.parametrize("seconds", [0, -1, 86401, "900", 1.5, None])
async def test_no_other_length_is_taken(seller: Seller, tenant: Tenant, seconds: object) -> None:
    body = {"api_key": tenant.live, "feature": FEATURE, "estimate": ESTIMATE, "expires_in": seconds}
    answer = await seller.post("/v1/reservations", body, headers={"Idempotency-Key": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "expires_in" in answer.json()["detail"]


async def test_an_account_may_be_named_instead_of_a_key(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    answer = await seller.reserve(tenant, api_key=None, account_id=tenant.account)
    assert answer.status_code == 201
    assert (answer.json()["account_id"], answer.json()["test"]) == (tenant.account, False)
    await seller.commit(answer.json()["id"])
    (record,) = (await customer.get("/v1/usage/records")).json()["items"]
    assert record["key_id"] is None


@pytest.mark.parametrize("named", ["neither", "both"])
async def test_who_pays_is_named_in_one_way(seller: Seller, tenant: Tenant, named: str) -> None:
    who = {"api_key": None} if named == "neither" else {"account_id": tenant.account}
    answer = await seller.reserve(tenant, **who)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert "`api_key`" in answer.json()["detail"]
    assert "`account_id`" in answer.json()["detail"]


async def test_a_test_key_goes_through_everything_and_pays_nothing(
    seller: Seller, shop: Shop, customer: Caller
) -> None:
    poor = await shop.tenant(amount="0")
    answer = await seller.reserve(poor, api_key=poor.test)
    body = answer.json()
    assert (answer.status_code, body["test"], body["held"]) == (201, True, "0")
    assert body["affordable"] == {"calls": 0, "output_tokens": 300}
    settled = (await seller.commit(body["id"])).json()
    assert (settled["charged"], settled["uncollected"]) == ("0", "0")
    program = Caller(customer.http, poor.live)
    (record,) = (await program.get("/v1/usage/records")).json()["items"]
    assert (record["test"], record["key_id"]) == (True, poor.test_id)
    assert (record["cost"], record["charged"]) == ("1.52", "0")


async def test_what_costs_nothing_can_be_called_for_ever(seller: Seller, tenant: Tenant) -> None:
    body = (await seller.reserve(tenant, estimate={})).json()
    assert (body["held"], body["available"]) == ("0", "1000")
    assert body["affordable"] == {"calls": None, "output_tokens": 0}


async def test_estimates_go_up_to_ten_million_each(seller: Seller, shop: Shop) -> None:
    rich = await shop.tenant(amount="9000000")
    most = {"input_tokens": MOST, "max_output_tokens": MOST, "units": MOST}
    answer = await seller.reserve(rich, feature="match_job", estimate=most)
    assert answer.status_code == 201
    assert answer.json()["held"] == str(10_000 + 50_000 + 5_000_000)


@pytest.mark.parametrize("member", ["input_tokens", "max_output_tokens", "units"])
@pytest.mark.parametrize("count", [MOST + 1, -1, 1.5, "1", None, True])
async def test_an_estimate_counts_from_nothing_to_ten_million(
    seller: Seller, tenant: Tenant, member: str, count: object
) -> None:
    answer = await seller.reserve(tenant, estimate={member: count})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert f"$.estimate.{member}" in answer.json()["detail"]


async def test_a_clamped_reservation_holds_what_is_affordable(seller: Seller, shop: Shop) -> None:
    poor = await shop.tenant(amount="1.5")
    body = (await seller.reserve(poor, fit="clamp")).json()
    assert (body["held"], body["available"]) == ("1.5", "0")
    assert body["affordable"] == {"calls": 0, "output_tokens": 175}  # 0.8 for the input, 0.004 for each
    settled = await seller.commit(body["id"], {"input_tokens": 1000, "output_tokens": 175})
    assert (settled.json()["charged"], settled.json()["uncollected"]) == ("1.5", "0")


async def test_a_clamped_reservation_that_fits_is_like_any_other(seller: Seller, tenant: Tenant) -> None:
    body = (await seller.reserve(tenant, fit="clamp")).json()
    assert (body["held"], body["affordable"]["output_tokens"]) == (HELD, 300)


async def test_a_clamped_reservation_pays_for_one_output_token_at_least(seller: Seller, shop: Shop) -> None:
    poor = await shop.tenant(amount="0.8039")
    answer = await seller.reserve(poor, fit="clamp")
    assert (answer.status_code, answer.json()["needed"]) == (402, HELD)


async def test_the_plan_multiplies_the_price(seller: Seller, shop: Shop) -> None:
    individual = await shop.tenant("personal/pro")
    body = (await seller.reserve(individual)).json()
    assert body["held"] == "1.8"
    assert (await seller.commit(body["id"])).json()["charged"] == "1.368"


async def test_what_was_given_burns_before_what_was_paid_for(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant(amount="1")
    await shop.grant(tenant.account, "1.25", Source.PROMOTION)
    held = (await seller.look(await seller.reserved(tenant))).json()
    assert [part["credits"] for part in held["lots"]] == ["1.25", "0.75"]


async def test_a_free_plan_opens_its_credits_when_they_are_first_needed(seller: Seller, shop: Shop) -> None:
    newcomer = await shop.tenant("api/free", amount="0")
    body = (await seller.reserve(newcomer)).json()
    assert (body["held"], body["available"]) == (HELD, "498")


async def test_a_paid_plan_opens_none_by_itself(seller: Seller, shop: Shop) -> None:
    unpaid = await shop.tenant("api/scale", amount="0")
    answer = await seller.reserve(unpaid)
    assert (answer.status_code, answer.json()["available"]) == (402, "0")
