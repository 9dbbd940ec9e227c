"""Odd requests, odd events, and purchases that odd things befall."""

import json
import time
from typing import Any

import httpx
import pytest

from application.billing.auto import BuyAutomatically, TopUpLow
from domain.billing.errors import PaymentsUnavailable
from tests.billing.conftest import HOOK, Till
from tests.billing.lives import card
from tests.fakes.stripe import customers
from tests.fakes.stripe.webhooks import signature
from tests.fakes.stripe.wire import Params
from tests.fakes.stripe_server import WEBHOOK_SECRET, Fault


async def sent(till: Till, event: dict[str, Any], header: str | None = None) -> httpx.Response:
    body = json.dumps(event).encode()
    signed = signature(body, WEBHOOK_SECRET, int(time.time())) if header is None else header
    headers = {"Stripe-Signature": signed, "Content-Type": "application/json"}
    return await till.http.post(HOOK, content=body, headers=headers)


def event(type_: str, about: dict[str, Any], created: int = 1) -> dict[str, Any]:
    return {"id": "evt_odd", "type": type_, "created": created, "data": {"object": about}}


@pytest.mark.parametrize("about", [{}, {"id": None}])
async def test_an_invoice_that_is_only_to_come_is_kept_and_left_alone(
    till: Till, about: dict[str, Any]
) -> None:
    assert (await sent(till, event("invoice.upcoming", about))).json() == {"new": True}
    await till.hear([])
    await till.is_in_order()


async def test_a_time_that_never_comes_is_refused(till: Till) -> None:
    answer = await sent(till, event("invoice.paid", {"id": "in_1"}, created=1 << 40))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


@pytest.mark.parametrize("more", [",t={now}", ",t=x", ",t="])
async def test_a_signature_says_once_when_it_was_made(till: Till, more: str) -> None:
    told, now = event("invoice.paid", {"id": "in_1"}), int(time.time())
    old = signature(json.dumps(told).encode(), WEBHOOK_SECRET, now - 86_400)
    answer = await sent(till, told, old + more.format(now=now))
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")
    assert await till.sql("SELECT 1 FROM stripe_event") == []


async def test_a_mark_is_no_larger_than_what_can_be_had(till: Till) -> None:
    wanted = {"product": "api", "below": "9223372036854.775808", "pack": "small", "monthly": 2}
    answer = await till.ask("POST", "/auto-top-ups", wanted)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")


async def test_who_begins_a_subscription_has_the_free_plan_until_it_is_paid(till: Till) -> None:
    for path, wanted in (("/subscriptions", {"plan": "pro"}), ("/top-ups", {"pack": "small"})):
        assert (await till.ask("POST", path, {"product": "personal", **wanted})).status_code == 201
    assert {"product": "personal", "plan": "free"} in await till.sql("SELECT product, plan FROM account")


async def test_a_wish_that_stripe_does_not_sell_leaves_room_for_another(till: Till) -> None:
    with till.there.changing():
        [price] = till.there.state.all("price", lookup_key="cuebx:plan:api:scale:1")
        price["active"] = False
    away = await till.ask("POST", "/subscriptions", {"product": "api", "plan": "scale"})
    assert (away.status_code, away.json()["code"]) == (409, "plan_not_sold")
    await till.subscribe("team")


async def test_one_wish_has_one_page_though_another_came_between(till: Till) -> None:
    small, large, again = [
        await till.page("/top-ups", product="api", pack=pack) for pack in ("small", "large", "small")
    ]
    assert (small == again, small == large) == (True, False)


async def low(till: Till, below: str = "900000") -> BuyAutomatically:
    await till.subscribe()
    await till.hear()
    wanted = {"product": "api", "below": below, "pack": "small", "monthly": 1}
    assert (await till.ask("POST", "/auto-top-ups", wanted)).status_code == 200
    return await till.services.get(BuyAutomatically)


async def cut(till: Till, buy: BuyAutomatically, end: str, *, after: bool) -> None:
    """A purchase breaks off at that request, and is to be taken up again."""

    def watch(method: str, path: str, params: Params, *, done: bool) -> bool:
        return not (path.endswith(end) and method == "POST" and done == after)

    till.there.watch = watch
    with pytest.raises(PaymentsUnavailable):
        await buy(till.account)
    till.there.watch = None
    await till.change("UPDATE top_up SET created_at = created_at - interval '3 minutes'")


def without_a_card(till: Till) -> None:
    state = till.there.state
    with till.there.changing():
        for each in state.all("customer"):
            each["invoice_settings"]["default_payment_method"] = None
        for each in state.all("subscription"):
            each["default_payment_method"] = None
        for each in state.all("payment_method"):
            each["customer"] = None


async def test_what_was_paid_is_paid_though_the_card_is_gone_since(till: Till) -> None:
    buy = await low(till)
    await cut(till, buy, "/pay", after=True)
    without_a_card(till)
    assert await buy(till.account) is True
    assert await till.sql("SELECT state FROM top_up") == [{"state": "paid"}]
    assert await till.credits() == [("allocation", "300000"), ("top_up", "10000")]


async def test_what_was_declined_is_paid_with_another_card(till: Till) -> None:
    buy = await low(till)
    card(till.there, "0341")
    await cut(till, buy, "/void", after=False)
    card(till.there, "4242")
    assert await buy(till.account) is True
    assert [each["status"] for each in till.there.state.all("invoice", parent=None)] == ["paid"]


async def test_what_was_not_begun_is_not_bought_where_nothing_is_low_any_more(till: Till) -> None:
    buy = await low(till, "300001")
    await cut(till, buy, "/v1/invoices", after=False)
    assert till.there.pay(await till.page("/top-ups", product="api", pack="large")) is None
    await till.hear()
    assert await buy(till.account) is False
    assert await till.sql("SELECT state, reason FROM top_up") == [{"state": "failed", "reason": "not_needed"}]


async def test_one_that_cannot_buy_keeps_nobody_else_from_it(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    await low(till)
    with till.there.changing():
        [customer] = till.there.state.all("customer")
        customers.delete(till.there.state, {}, customer["id"])
    await till.change("UPDATE billing_customer SET id = 'cus_other'")
    till.there.faults.append(Fault(400, path="/v1/invoices"))
    assert await (await till.services.get(TopUpLow))() == {"watched": 1, "bought": 0}
