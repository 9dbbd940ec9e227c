"""What is not ours, what is gone, and what somebody else did meanwhile."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from application.actor import Operator
from application.billing import reconcile as reconcile_module
from application.billing.auto import BuyAutomatically, TopUpLow
from application.billing.off import NoPayments
from application.billing.prices import PublishPrices
from application.billing.reconcile import Reconcile, ReconcileDaily
from application.billing.sweep import SweepStripeEvents
from application.billing.sync import SyncInvoice, SyncSubscription
from application.billing.told import ActOnStripeEvent
from domain.billing.errors import PackMissing, PaymentsUnavailable
from domain.billing.events import StripeTold
from domain.billing.sold import PriceOutcome
from domain.ids import AccountId, account_text
from tests.billing.conftest import Till
from tests.fakes.stripe import catalog, payments, subscriptions
from tests.fakes.stripe.wire import Object
from tests.fakes.stripe_server import Fault

SCALE = ("allocation", "300000")


def a_price(till: Till) -> Object:
    [price] = till.there.state.all("price", lookup_key="cuebx:plan:api:scale:1")
    return price


def strange(till: Till, metadata: dict[str, str]) -> str:
    """A subscription that nobody asked us for, of another customer; paid."""
    with till.there.changing():
        from tests.fakes.stripe import customers  # noqa: PLC0415

        made = {"invoice_settings": {"default_payment_method": "pm_card_visa"}}
        customer = customers.create(till.there.state, made)
        wanted = {
            "customer": customer["id"],
            "items": [{"price": a_price(till)["id"]}],
            "metadata": metadata,
        }
        return str(subscriptions.create(till.there.state, wanted)["id"])


async def test_what_is_not_of_cuebx_is_left_alone(till: Till) -> None:
    for metadata in ({}, {"cuebx_account": "odd"}, {"cuebx_account": account_text(AccountId(uuid4()))}):
        strange(till, metadata)
    strange(till, {"cuebx_account": till.account_id})
    await till.hear()
    assert ((await till.shown())["plan"], await till.credits()) == ("free", [])
    assert await till.sql("SELECT 1 FROM subscription UNION ALL SELECT 1 FROM invoice") == []
    await till.is_in_order()


async def test_events_about_what_is_not_there_are_done(till: Till) -> None:
    act = await till.services.get(ActOnStripeEvent)
    for type_, about, payment in (
        ("customer.subscription.updated", "sub_none", None),
        ("invoice.paid", "in_none", None),
        ("checkout.session.completed", "cs_none", None),
        ("refund.created", "re_1", "pi_none"),
        ("refund.created", "re_1", None),
    ):
        await act(StripeTold(event="evt_1", type=type_, about=about, payment=payment))
    assert await act.invoice("in_none") is None
    session = await till.page("/subscriptions", product="api", plan="scale")
    await act(StripeTold(event="evt_1", type="checkout.session.odd", about=session))
    assert await till.page("/subscriptions", product="api", plan="scale") == session
    await till.change("DELETE FROM checkout")
    assert till.there.pay(session) is None
    await till.hear()
    assert (await till.shown())["plan"] == "scale"


async def test_a_page_that_is_gone_or_too_old_makes_room_for_another(till: Till) -> None:
    first = await till.page("/subscriptions", product="api", plan="scale")
    del till.there.state.objects["checkout.session"][first]
    second = await till.page("/subscriptions", product="api", plan="scale")
    await till.change("UPDATE checkout SET expires_at = now()")
    assert len({first, second, await till.page("/subscriptions", product="api", plan="scale")}) == 3


async def test_a_page_that_was_paid_at_the_last_moment_is_no_room_for_another(till: Till) -> None:
    session = await till.page("/subscriptions", product="api", plan="scale")
    assert till.there.pay(session) is None
    await till.change("UPDATE checkout SET expires_at = now()")
    again = await till.ask("POST", "/subscriptions", {"product": "api", "plan": "scale"})
    assert (again.status_code, again.json()["code"]) == (409, "already_subscribed")
    assert len(till.there.state.all("subscription")) == 1


async def test_a_page_that_nobody_saw_makes_room_once_it_is_too_late_for_it(till: Till) -> None:
    for path, wanted in (("/subscriptions", {"plan": "scale"}), ("/top-ups", {"pack": "small"})):
        till.there.faults.append(Fault(503, path="/v1/checkout/sessions", times=3))
        away = await till.ask("POST", path, {"product": "api", **wanted})
        assert away.status_code == 503
        await till.change("UPDATE checkout SET expires_at = now() + interval '29 minutes'")
        session = await till.page(path, product="api", **wanted)
        assert till.there.pay(session) is None


async def test_a_page_that_was_paid_but_not_told_is_seen_to(till: Till) -> None:
    session = await till.page("/subscriptions", product="api", plan="scale")
    assert till.there.pay(session) is None
    other = await till.ask("POST", "/subscriptions", {"product": "api", "plan": "team"})
    assert (other.status_code, other.json()["code"]) == (409, "already_subscribed")
    assert (await till.shown())["plan"] == "scale"
    pack = await till.page("/top-ups", product="api", pack="small")
    assert till.there.pay(pack) is None
    assert await till.page("/top-ups", product="api", pack="small") != pack
    assert await till.credits() == [SCALE, ("top_up", "10000")]


async def test_without_a_free_plan_the_last_one_stays_without_credits(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    await till.change("UPDATE catalog_entry SET retired_at = now() WHERE key = 'api/free'")
    sync = await till.services.get(SyncSubscription)
    sync.catalog.forget()
    await till.ask("POST", "/subscriptions/api/cancel", {"now": True})
    shown = await till.shown()
    assert (shown["plan"], shown["status"]) == ("scale", None)


async def test_a_pack_that_never_was_is_told(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    [invoice] = till.there.state.all("invoice")
    [price] = till.there.state.all("price", lookup_key="cuebx:pack:api:small:1")
    price["metadata"] = {"cuebx": "cuebx:pack:api:gone:1"}
    line = invoice["lines"]["data"][0]
    line["pricing"]["price_details"]["price"] = price["id"]
    with pytest.raises(PackMissing):
        await (await till.services.get(SyncInvoice))(invoice["id"])
    [drift] = await (await till.services.get(Reconcile))(Operator(), apply=True)
    assert (drift.kind, drift.here) == ("unreadable", "api has no pack 'gone'")


async def test_what_cannot_be_put_right_is_said_and_left(
    till: Till, caplog: pytest.LogCaptureFixture
) -> None:
    await till.subscribe()
    till.there.events()
    use = await till.services.get(Reconcile)

    async def fail(id: str) -> bool:
        raise PackMissing("api", id)

    unable: Any = fail
    found = await replace(use, subscription=unable)(Operator(), apply=True)
    assert "could not be put right" in caplog.text
    left = {each.kind for each in await use(Operator())}
    assert left < {each.kind for each in found}

    async def away(id: str) -> bool:
        raise PaymentsUnavailable("away")

    unable = away
    with pytest.raises(PaymentsUnavailable):
        await replace(use, subscription=unable)(Operator(), apply=True)


async def test_prices_are_hidden_and_come_back(till: Till) -> None:
    publish = await till.services.get(PublishPrices)
    with till.there.changing():
        a_price(till)["active"] = False
        product = a_price(till)["product"]
        for key in ("cuebx:pack:api:old:1", "other"):
            old = {"product": product, "unit_amount": "1", "currency": "usd", "metadata": {"cuebx": key}}
            catalog.create_price(till.there.state, old)
    changed = {each.outcome for each in await publish(Operator())}
    assert changed == {PriceOutcome.UNCHANGED, PriceOutcome.RESTORED}
    assert {each.outcome for each in await publish(Operator())} == {PriceOutcome.UNCHANGED}


async def test_a_cancellation_is_said_twice_and_a_free_plan_is_no_change(till: Till) -> None:
    await till.ask("POST", "/top-ups", {"product": "personal", "pack": "small"})
    await till.subscribe()
    await till.hear()
    to_free = await till.ask("POST", "/subscriptions/api/preview", {"plan": "free"})
    assert (to_free.status_code, to_free.json()["code"]) == (409, "plan_not_sold")
    none = await till.ask("POST", "/subscriptions/personal/preview", {})
    assert (none.status_code, none.json()["code"]) == (404, "not_subscribed")
    first = (await till.ask("POST", "/subscriptions/api/cancel", {})).json()
    asked = len(till.there.asked)
    assert (await till.ask("POST", "/subscriptions/api/cancel", {})).json() == first
    assert "POST" not in {method for method, *_ in till.there.asked[asked:]}


async def test_reconciling_goes_on_over_what_waits_and_what_is_gone(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconcile_module, "PAGE", 1)
    await till.subscribe()
    await till.hear()
    use = await till.services.get(Reconcile)
    await till.hold_all()
    [charge] = till.there.state.all("charge")
    with till.there.changing():
        payments.create_refund(till.there.state, {"charge": charge["id"]})
    assert [each.kind for each in await use(Operator(), apply=True)] == ["invoice", "lot"]
    [lot] = await till.lots()
    assert (lot.free, lot.held, lot.refunded) == (0, lot.granted, 0)
    daily = await till.services.get(ReconcileDaily)
    await till.change("UPDATE workspace SET seats = 3 WHERE kind = 'team'")
    assert await daily() == {"drifts": 2}
    assert await replace(daily, reconcile=replace(use, payments=NoPayments()))() == {}
    sweep = await till.services.get(SweepStripeEvents)
    assert await replace(sweep, payments=NoPayments())() == {}


async def test_nothing_is_bought_for_who_is_gone_or_wants_nothing(till: Till) -> None:
    buy = await till.services.get(BuyAutomatically)
    assert await buy(AccountId(uuid4())) is False
    assert await buy(till.account) is False
    gone = await till.ask("DELETE", "/auto-top-ups/none")
    assert (gone.status_code, gone.json()["code"]) == (404, "auto_top_up_missing")
    await till.subscribe()
    await till.hear()
    await till.change("UPDATE account SET top_up_below = 1, top_up_pack = 'gone', top_up_monthly = 1")
    assert await buy(till.account) is False
    await till.change("UPDATE account SET top_up_pack = 'small', top_up_below = 900000000000")
    await till.change(
        f"INSERT INTO top_up VALUES ('{till.account}', '{uuid4()}', 'k', 'pending', NULL, NULL, now())"  # noqa: S608 - ours
    )
    assert await (await till.services.get(TopUpLow))() == {"watched": 1, "bought": 0}
