"""What a customer's program sees of its account."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import httpx
import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from application.catalog.ports import Catalog
from domain.credits import parse_credits
from domain.ids import parse_account
from domain.usage.lot import Source
from tests.shop import CHARGED, Caller, Seller, Shop, Tenant

EVERY = ["classify", "echo", "extract_keywords", "match_job", "review_text", "summarize"]


async def expire(services: AsyncContainer, tenant: Tenant, granted: str) -> None:
    """The lot of so many credits ends now."""
    over = sa.text("UPDATE lot SET expires_at = now() WHERE account_id = :account AND granted = :granted")
    which = {"account": parse_account(tenant.account), "granted": parse_credits(granted)}
    async with (await services.get(AsyncEngine)).begin() as connection:
        assert (await connection.execute(over, which)).rowcount == 1


async def test_a_balance_is_exact_after_every_step(seller: Seller, tenant: Tenant, customer: Caller) -> None:
    async def seen() -> tuple[str, str, str]:
        body = (await customer.get("/v1/balance")).json()
        (lot,) = body["lots"]
        assert (lot["free"], lot["held"]) == (body["available"], body["held"])
        return body["available"], body["held"], lot["spent"]

    assert await seen() == ("1000", "0", "0")
    first, second = await seller.reserved(tenant), await seller.reserved(tenant)
    assert await seen() == ("996", "4", "0")
    await seller.commit(first)
    assert await seen() == ("996.48", "2", CHARGED)
    await seller.release(second)
    assert await seen() == ("998.48", "0", CHARGED)


async def test_a_balance_names_its_account_plan_and_lots(
    shop: Shop, customer: Caller, tenant: Tenant
) -> None:
    before = datetime.now(UTC)
    expires = before + timedelta(days=7)
    await shop.grant(tenant.account, "12.5", Source.PROMOTION, expires_at=expires)
    answer = await customer.get("/v1/balance")
    assert answer.status_code == 200
    body = answer.json()
    assert abs(datetime.fromisoformat(body.pop("at")) - before) < timedelta(seconds=30)
    given, bought = body.pop("lots")
    assert body == {
        "account_id": tenant.account,
        "product": "api",
        "plan": "scale",
        "plan_version": 1,
        "available": "1012.5",
        "held": "0",
        "overdrawn": "0",
        "period_ends_at": None,
    }
    assert given.pop("id").startswith("lot_")
    assert datetime.fromisoformat(given.pop("starts_at")) > before
    assert datetime.fromisoformat(given.pop("expires_at")) == expires
    assert given == {
        "source": "promotion",
        "granted": "12.5",
        "free": "12.5",
        "held": "0",
        "spent": "0",
        "priority": 10,
    }
    assert (bought["source"], bought["granted"], bought["expires_at"]) == ("top_up", "1000", None)


async def test_credits_that_ran_out_are_not_in_the_balance(
    services: AsyncContainer, shop: Shop, customer: Caller, tenant: Tenant
) -> None:
    await shop.grant(tenant.account, "5", expires_at=datetime.now(UTC) + timedelta(days=1))
    assert (await customer.get("/v1/balance")).json()["available"] == "1005"
    await expire(services, tenant, "5")
    body = (await customer.get("/v1/balance")).json()
    assert (body["available"], len(body["lots"])) == ("1000", 1)


async def test_a_lot_that_expires_while_it_is_held_is_charged_all_the_same(
    services: AsyncContainer, seller: Seller, shop: Shop
) -> None:
    tenant = await shop.tenant(amount="2")
    id = await seller.reserved(tenant)
    await expire(services, tenant, "2")
    settled = (await seller.commit(id)).json()
    assert (settled["charged"], settled["uncollected"], settled["available"]) == (CHARGED, "0", "0")


async def test_a_free_plan_shows_its_credits_before_they_were_ever_needed(
    http: httpx.AsyncClient, shop: Shop
) -> None:
    newcomer = await shop.tenant("api/free", amount="0")
    body = (await Caller(http, newcomer.live).get("/v1/balance")).json()
    (lot,) = body["lots"]
    assert (body["available"], lot["source"], lot["granted"]) == ("500", "allocation", "500")
    assert lot["expires_at"] == body["period_ends_at"]
    assert datetime.fromisoformat(body["period_ends_at"]) > datetime.now(UTC) + timedelta(days=27)


async def test_test_keys_and_live_keys_see_one_balance(customer: Caller, tenant: Tenant) -> None:
    live, test = (
        await customer.get("/v1/balance"),
        await Caller(customer.http, tenant.test).get("/v1/balance"),
    )
    assert test.json() | {"at": None} == live.json() | {"at": None}


async def test_a_frozen_workspace_can_still_read(shop: Shop, customer: Caller, tenant: Tenant) -> None:
    await shop.freeze(tenant)
    for path in ("/v1/balance", "/v1/features", "/v1/usage", "/v1/usage/records"):
        assert (await customer.get(path)).status_code == 200


async def test_the_features_of_a_key_are_those_of_its_plan(http: httpx.AsyncClient, shop: Shop) -> None:
    async def sold(plan: str) -> list[str]:
        body = (await Caller(http, (await shop.tenant(plan)).live).get("/v1/features")).json()
        assert body["next_cursor"] is None
        return [item["key"] for item in body["items"]]

    assert await sold("api/scale") == EVERY
    assert await sold("personal/free") == ["echo", "extract_keywords", "summarize"]


async def test_a_feature_tells_what_it_takes_gives_and_costs(
    services: AsyncContainer, customer: Caller
) -> None:
    answer = await customer.get("/v1/features")
    assert answer.status_code == 200
    (item,) = [each for each in answer.json()["items"] if each["key"] == "summarize"]
    feature = await (await services.get(Catalog)).feature("summarize")
    assert item == {
        "key": "summarize",
        "name": feature.name,
        "description": feature.description,
        "price_version": 1,
        "price": {
            "per_call": "0",
            "per_input_token": "0.0008",
            "per_output_token": "0.004",
            "per_unit": "0",
            "multiplier": "1",
        },
        "max_output_tokens": 1024,
        "input_schema": feature.input_schema,
        "output_schema": feature.output_schema,
    }
    assert feature.prompt not in answer.text


@pytest.mark.parametrize("plan", ["api/scale", "personal/pro"])
@pytest.mark.parametrize("feature", EVERY)
async def test_a_call_costs_what_the_features_said(
    seller: Seller, shop: Shop, plan: str, feature: str
) -> None:
    tenant = await shop.tenant(plan)
    items = (await Caller(seller.http, tenant.live).get("/v1/features")).json()["items"]
    price = next(item["price"] for item in items if item["key"] == feature)
    counts = {"per_call": 1, "per_input_token": 1000, "per_output_token": 300, "per_unit": 2}
    estimate = {"input_tokens": 1000, "max_output_tokens": 300, "units": 2}
    expected = sum(Decimal(price[name]) * count for name, count in counts.items())
    held = (await seller.reserve(tenant, feature=feature, estimate=estimate)).json()["held"]
    assert Decimal(held) == expected * Decimal(price["multiplier"])
