"""Any charge can be explained: from the lots that paid it to the price of each token."""

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Any

import pytest

from domain.usage.lot import Source
from tests.shop import CHARGED, ESTIMATE, HELD, USAGE, Caller, Seller, Shop, Tenant

MICROCREDIT = Decimal("0.000001")


def total(arithmetic: dict[str, Any]) -> Decimal:
    """What the terms of an explanation come to, added up by hand."""
    terms = arithmetic["terms"]
    assert [term["per"] for term in terms] == ["call", "input_token", "output_token", "unit"]
    for term in terms:
        assert term["count"] * Decimal(term["price"]) == Decimal(term["amount"])
    added = sum((Decimal(term["amount"]) for term in terms), Decimal(0))
    whole = (added * Decimal(arithmetic["multiplier"])).quantize(MICROCREDIT, rounding=ROUND_CEILING)
    assert Decimal(arithmetic["total"]) == whole
    return whole


async def test_an_open_reservation_tells_what_it_holds_and_why(
    seller: Seller, shop: Shop, customer: Caller
) -> None:
    tenant = await shop.tenant(amount="1")
    await shop.grant(tenant.account, "1.25", Source.PROMOTION)
    reserved = (await seller.reserve(tenant)).json()
    answer = await seller.look(reserved["id"])
    assert answer.status_code == 200
    body = answer.json()
    lots = (await Caller(customer.http, tenant.live).get("/v1/balance")).json()["lots"]
    assert body.pop("lots") == [{"lot_id": lot["id"], "credits": lot["held"]} for lot in lots]
    assert total(body.pop("estimated")) == Decimal(HELD)
    created = datetime.fromisoformat(body.pop("created_at"))
    assert created < datetime.fromisoformat(body["expires_at"])
    assert body == {
        "id": reserved["id"],
        "state": "held",
        "account_id": tenant.account,
        "feature": "summarize",
        "test": False,
        "held": HELD,
        "plan": "api/scale@1",
        "price_version": 1,
        "estimate": {"input_tokens": 1000, "output_tokens": 300, "units": 0},
        "started_at": None,
        "expires_at": reserved["expires_at"],
        "charge": None,
    }


async def test_a_charge_tells_what_was_used_and_who_paid(seller: Seller, tenant: Tenant) -> None:
    id = await seller.reserved(tenant)
    held = (await seller.look(id)).json()["lots"]
    started = (await seller.start(id)).json()["started_at"]
    await seller.commit(id, model="some-model", latency_ms=1234)
    body = (await seller.look(id)).json()
    assert (body["state"], body["held"], body["lots"]) == ("committed", "0", [])
    assert body["started_at"] == started
    charge = body["charge"]
    assert total(charge.pop("arithmetic")) == Decimal(CHARGED)
    assert datetime.fromisoformat(charge.pop("at")) > datetime.fromisoformat(started)
    assert charge == {
        "usage": {**USAGE, "units": 0},
        "model": "some-model",
        "latency_ms": 1234,
        "cost": CHARGED,
        "charged": CHARGED,
        "uncollected": "0",
        "lots": [{"lot_id": held[0]["lot_id"], "credits": CHARGED}],
    }


@pytest.mark.parametrize("plan", ["api/scale", "personal/pro"])
@pytest.mark.parametrize("feature", ["echo", "summarize", "match_job", "review_text", "classify"])
async def test_the_arithmetic_comes_to_the_hold_and_to_the_charge(
    seller: Seller, shop: Shop, plan: str, feature: str
) -> None:
    tenant = await shop.tenant(plan)
    estimate = {"input_tokens": 1237, "max_output_tokens": 331, "units": 7}
    reserved = (await seller.reserve(tenant, feature=feature, estimate=estimate)).json()
    settled = (
        await seller.commit(reserved["id"], {"input_tokens": 1, "output_tokens": 3, "units": 5})
    ).json()
    body = (await seller.look(reserved["id"])).json()
    assert total(body["estimated"]) == Decimal(reserved["held"])
    assert total(body["charge"]["arithmetic"]) == Decimal(settled["charged"])
    assert sum(Decimal(part["credits"]) for part in body["charge"]["lots"]) == Decimal(settled["charged"])


async def test_what_was_not_collected_is_part_of_the_explanation(seller: Seller, shop: Shop) -> None:
    tenant = await shop.tenant(amount="2")
    id = await seller.reserved(tenant)
    await seller.commit(id, {"input_tokens": 1000, "output_tokens": 1000})
    charge = (await seller.look(id)).json()["charge"]
    assert total(charge["arithmetic"]) == Decimal(charge["cost"]) == Decimal("4.8")
    assert (charge["charged"], charge["uncollected"]) == ("2", "2.8")


async def test_an_extended_reservation_explains_its_new_estimate(seller: Seller, tenant: Tenant) -> None:
    id = await seller.reserved(tenant)
    await seller.extend(id, estimate={**ESTIMATE, "max_output_tokens": 1000})
    body = (await seller.look(id)).json()
    assert total(body["estimated"]) == Decimal(body["held"]) == Decimal("4.8")


async def test_a_released_reservation_explains_that_nothing_was_charged(
    seller: Seller, tenant: Tenant
) -> None:
    id = await seller.reserved(tenant)
    await seller.release(id)
    body = (await seller.look(id)).json()
    assert (body["state"], body["charge"]["cost"], body["charge"]["lots"]) == ("released", "0", [])


@pytest.mark.parametrize("id", ["rsv_", "nonsense", "rsv_" + "0" * 26, "rsv_" + "8" * 52])
async def test_an_id_of_the_wrong_form_is_told(seller: Seller, id: str) -> None:
    answer = await seller.look(id)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed_id")
    assert answer.json()["expected"] == "rsv"


async def test_a_customer_explains_nothing_to_himself(
    seller: Seller, tenant: Tenant, customer: Caller
) -> None:
    answer = await customer.get(f"/v1/reservations/{await seller.reserved(tenant)}")
    assert (answer.status_code, answer.json()["code"]) == (401, "service_key_refused")
