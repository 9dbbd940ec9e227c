"""The stand-in, asked by Stripe's own client: it keeps, reckons and tells as Stripe does."""

import json
from typing import Any

import pytest
import stripe

from tests.fakes.stripe.state import FIXTURES
from tests.fakes.stripe.webhooks import signature
from tests.fakes.stripe_server import WEBHOOK_SECRET, Fault, StripeServer

GOOD, DECLINED = "pm_card_visa", "pm_card_chargeCustomerFail"
Client = stripe.StripeClient


async def price(client: Client, amount: int, *, monthly: bool = True, **more: Any) -> str:  # noqa: ANN401
    product = await client.v1.products.create_async({"name": f"Plan {amount}"})
    params: Any = {"product": product.id, "unit_amount": amount, "currency": "usd", **more}
    if monthly:
        params["recurring"] = {"interval": "month"}
    return (await client.v1.prices.create_async(params)).id


async def customer(client: Client, card: str = GOOD) -> str:
    made = await client.v1.customers.create_async({"email": "ada@example.com", "metadata": {"a": "1"}})
    await use(client, made.id, card)
    return made.id


async def use(client: Client, id: str, card: str) -> None:
    method = await client.v1.payment_methods.attach_async(card, {"customer": id})
    await client.v1.customers.update_async(id, {"invoice_settings": {"default_payment_method": method.id}})


async def subscribed(client: Client, amount: int = 3000, **more: Any) -> stripe.Subscription:  # noqa: ANN401
    items = [{"price": await price(client, amount)}]
    params: Any = {"customer": await customer(client), "items": items, **more}
    return await client.v1.subscriptions.create_async(params)


async def invoices(client: Client) -> list[stripe.Invoice]:
    """The oldest first."""
    return list((await client.v1.invoices.list_async({"limit": 100})).data)[::-1]


def totals(found: list[stripe.Invoice]) -> list[tuple[str | None, int]]:
    return [(each.status, each.total) for each in found]


def told(there: StripeServer) -> list[str]:
    return [each["type"] for each in there.events()]


async def test_its_objects_have_the_members_of_stripes_own(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client)
    item = subscription["items"]["data"][0]["id"]
    await client.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    await client.v1.billing_portal.sessions.create_async({"customer": str(subscription.customer)})
    await client.v1.subscriptions.update_async(
        subscription.id, {"items": [{"id": item, "quantity": 2}], "proration_behavior": "always_invoice"}
    )
    charge = there.state.all("charge")[0]["id"]
    await client.v1.refunds.create_async({"charge": charge, "amount": 10})
    there.dispute(charge)
    seen = 0
    for kind, shape in FIXTURES.items():
        for made in there.state.all(kind):
            seen += 1
            assert made.keys() == shape.keys(), kind
            for name, value in made.items():
                if value is not None and shape[name] is not None:
                    assert isinstance(value, type(shape[name])), (kind, name)
    assert seen > 20


async def test_a_subscription_renews_each_month_from_its_anchor(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client)
    assert (subscription.status, totals(await invoices(client))) == ("active", [("paid", 3000)])
    ends = subscription["items"]["data"][0]["current_period_end"]
    there.advance(days=32)
    later = await client.v1.subscriptions.retrieve_async(subscription.id)
    assert later["items"]["data"][0]["current_period_start"] == ends
    first, second = await invoices(client)
    assert (second.billing_reason, second.status, second.total) == ("subscription_cycle", "paid", 3000)
    assert second.parent is not None
    details = second.parent.subscription_details
    assert details is not None
    assert details.subscription == subscription.id
    assert second.lines.data[0].period.start == ends
    assert first.number != second.number


async def test_a_preview_is_what_the_change_costs(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client)
    there.advance(days=10)
    item = subscription["items"]["data"][0]["id"]
    at = there.state.now - 5
    change: Any = {
        "items": [{"id": item, "price": await price(client, 10000)}],
        "proration_behavior": "always_invoice",
        "proration_date": at,
    }
    before = len(await invoices(client))
    preview = await client.v1.invoices.create_preview_async(
        {"subscription": subscription.id, "subscription_details": change}
    )
    assert len(await invoices(client)) == before
    there.advance(seconds=600)
    await client.v1.subscriptions.update_async(subscription.id, change)
    made = (await invoices(client))[-1]
    assert (made.total, made.status) == (preview.total, "paid")
    assert [each.amount for each in made.lines.data] == [each.amount for each in preview.lines.data]
    assert made.lines.data[0].amount < 0 < made.lines.data[1].amount
    detail = made.lines.data[0].parent
    assert detail is not None
    assert detail.subscription_item_details is not None
    assert detail.subscription_item_details.proration


async def test_a_change_whose_payment_fails_is_not_made(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client)
    await use(client, str(subscription.customer), DECLINED)
    item = subscription["items"]["data"][0]["id"]
    change: Any = {
        "items": [{"id": item, "price": await price(client, 10000)}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }
    told(there)
    with pytest.raises(stripe.CardError) as refused:
        await client.v1.subscriptions.update_async(subscription.id, change)
    assert refused.value.code == "card_declined"
    after = await client.v1.subscriptions.retrieve_async(subscription.id)
    assert after["items"]["data"][0]["price"]["unit_amount"] == 3000
    assert (len(await invoices(client)), told(there)) == (1, [])


async def test_a_trial_is_free_and_warned_of(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client, trial_period_days=14)
    assert (subscription.status, totals(await invoices(client))) == ("trialing", [("paid", 0)])
    told(there)
    there.advance(days=12)
    assert told(there) == ["customer.subscription.trial_will_end"]
    there.advance(days=3)
    assert (await client.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    assert totals(await invoices(client)) == [("paid", 0), ("paid", 3000)]


async def test_a_payment_that_fails_is_tried_again_until_it_is_paid(
    there: StripeServer, client: Client
) -> None:
    subscription = await subscribed(client)
    await use(client, str(subscription.customer), DECLINED)
    there.advance(days=32)
    assert (await client.v1.subscriptions.retrieve_async(subscription.id)).status == "past_due"
    await use(client, str(subscription.customer), GOOD)
    there.advance(days=3)
    assert (await client.v1.subscriptions.retrieve_async(subscription.id)).status == "active"
    assert totals(await invoices(client)) == [("paid", 3000), ("paid", 3000)]


async def test_one_that_is_never_paid_ends(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client)
    await use(client, str(subscription.customer), DECLINED)
    told(there)
    there.advance(days=45)
    assert (await client.v1.subscriptions.retrieve_async(subscription.id)).status == "canceled"
    assert told(there).count("invoice.payment_failed") == 5


async def test_what_is_cancelled_at_the_end_of_its_period_can_be_resumed(
    there: StripeServer, client: Client
) -> None:
    subscription = await subscribed(client)
    id = subscription.id
    await client.v1.subscriptions.update_async(id, {"cancel_at_period_end": True})
    resumed = await client.v1.subscriptions.update_async(id, {"cancel_at_period_end": False})
    assert resumed.cancel_at is None
    await client.v1.subscriptions.update_async(id, {"cancel_at_period_end": True})
    there.advance(days=32)
    assert (await client.v1.subscriptions.retrieve_async(id)).status == "canceled"
    assert len(await invoices(client)) == 1


async def test_a_schedule_changes_the_plan_when_the_period_ends(there: StripeServer, client: Client) -> None:
    subscription = await subscribed(client, 10000)
    cheap = await price(client, 3000)
    schedule = await client.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    phase = schedule.phases[0]
    now: Any = {
        "items": [{"price": each["price"], "quantity": each["quantity"]} for each in phase["items"]],
        "start_date": phase.start_date,
        "end_date": phase.end_date,
    }
    then: Any = {"items": [{"price": cheap, "quantity": 1}]}
    await client.v1.subscription_schedules.update_async(
        schedule.id, {"phases": [now, then], "end_behavior": "release"}
    )
    there.advance(days=32)
    after = await client.v1.subscriptions.retrieve_async(subscription.id)
    assert (after["items"]["data"][0]["price"]["id"], after.schedule) == (cheap, None)
    assert totals(await invoices(client)) == [("paid", 10000), ("paid", 3000)]


async def test_a_checkout_makes_a_subscription(there: StripeServer, client: Client) -> None:
    plan, seat = await price(client, 4900), await price(client, 800)
    made = await client.v1.customers.create_async({})
    params: Any = {
        "mode": "subscription",
        "customer": made.id,
        "line_items": [{"price": plan, "quantity": 1}, {"price": seat, "quantity": 3}],
        "success_url": "https://app.example/done?session={CHECKOUT_SESSION_ID}",
        "subscription_data": {"metadata": {"account": "acc_1"}},
    }
    session = await client.v1.checkout.sessions.create_async(params)
    assert (session.status, session.amount_total) == ("open", 7300)
    assert there.pay(session.id, "0341") == "card_declined"
    assert there.pay(session.id) is None
    assert there.pay(session.id) == "session_over"
    after = await client.v1.checkout.sessions.retrieve_async(session.id)
    assert (after.status, after.payment_status) == ("complete", "paid")
    subscription = await client.v1.subscriptions.retrieve_async(str(after.subscription))
    assert (subscription.status, subscription.metadata["account"]) == ("active", "acc_1")
    assert "checkout.session.completed" in told(there)


async def test_a_top_up_has_an_invoice_and_can_be_refunded(there: StripeServer, client: Client) -> None:
    pack, payer = await price(client, 1500, monthly=False), await customer(client)
    params: Any = {"customer": payer, "currency": "usd", "metadata": {"x": "y"}}
    invoice = await client.v1.invoices.create_async(params)
    await client.v1.invoice_items.create_async(
        {"customer": payer, "invoice": str(invoice.id), "pricing": {"price": pack}, "quantity": 2}
    )
    await client.v1.invoices.finalize_invoice_async(str(invoice.id))
    paid = await client.v1.invoices.pay_async(str(invoice.id), {"off_session": True})
    assert (paid.status, paid.amount_paid) == ("paid", 3000)
    assert paid.metadata is not None
    assert paid.metadata["x"] == "y"
    payments = await client.v1.invoice_payments.list_async({"invoice": str(invoice.id)})
    intent = str(payments.data[0].payment.payment_intent)
    await client.v1.refunds.create_async({"payment_intent": intent, "amount": 1000})
    refunds = await client.v1.refunds.list_async({"payment_intent": intent})
    assert [each.amount for each in refunds.data] == [1000]
    with pytest.raises(stripe.InvalidRequestError):
        await client.v1.refunds.create_async({"payment_intent": intent, "amount": 2001})


async def test_a_repeated_request_gets_the_same_answer(there: StripeServer, client: Client) -> None:
    options: Any = {"idempotency_key": "k1"}
    one = await client.v1.customers.create_async({"email": "a@example.com"}, options)
    other = await client.v1.customers.create_async({"email": "a@example.com"}, options)
    assert (one.id, len(there.state.all("customer"))) == (other.id, 1)
    with pytest.raises(stripe.IdempotencyError):
        await client.v1.customers.create_async({"email": "b@example.com"}, options)


async def test_faults_come_when_they_are_asked_for(there: StripeServer, client: Client) -> None:
    options: Any = {"idempotency_key": "k2", "max_network_retries": 0}
    for fault, error in (
        (Fault(500), stripe.APIError),
        (Fault(429), stripe.RateLimitError),
        (Fault(0, after=True), stripe.APIConnectionError),
    ):
        there.faults.append(fault)
        with pytest.raises(error):
            await client.v1.customers.create_async({"email": "a@example.com"}, options)
    assert len(there.state.all("customer")) == 1
    await client.v1.customers.create_async({"email": "a@example.com"}, options)
    assert len(there.state.all("customer")) == 1


async def test_what_stripe_does_not_know_is_refused(client: Client) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        await client.raw_request_async("post", "/v1/customers", emial="x")
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        await client.v1.customers.retrieve_async("cus_none")
    with pytest.raises(stripe.AuthenticationError):
        await client.v1.customers.list_async({}, {"api_key": "sk_test_other"})


def test_events_are_signed_as_stripe_signs() -> None:
    body = json.dumps({"id": "evt_1", "object": "event"}).encode()
    signed = signature(body, WEBHOOK_SECRET, 1)
    event = stripe.Webhook.construct_event(body, signed, WEBHOOK_SECRET, tolerance=10**12)
    assert event.id == "evt_1"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signed, "whsec_other", tolerance=10**12)
