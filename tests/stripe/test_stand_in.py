"""What can only be asked of the stand-in: shapes, its own clock, who pays at a page, and what goes wrong."""

import json
from typing import Any

import pytest
import stripe

from tests.fakes.stripe.state import FIXTURES, State
from tests.fakes.stripe.webhooks import signature
from tests.fakes.stripe_server import WEBHOOK_SECRET, Fault, StripeServer
from tests.stripe.sandbox import DAY, DECLINED, GOOD, HOUR, Sandbox, item_of, period_of, planned

Client = stripe.StripeClient


def told(there: StripeServer) -> list[str]:
    return [each["type"] for each in there.events()]


async def test_its_objects_have_the_members_of_stripes_own(
    there: StripeServer, client: Client, at_hand: Sandbox
) -> None:
    subscription = await at_hand.subscribed()
    item = item_of(subscription)["id"]
    await client.v1.subscription_schedules.create_async({"from_subscription": subscription.id})
    await client.v1.billing_portal.sessions.create_async({"customer": str(subscription.customer)})
    await client.v1.subscriptions.update_async(
        subscription.id, {"items": [{"id": item, "quantity": 2}], "proration_behavior": "always_invoice"}
    )
    customer = str(subscription.customer)
    pack = await at_hand.price(1500, monthly=False)
    await client.v1.checkout.sessions.create_async(
        {
            "mode": "payment",
            "customer": customer,
            "line_items": [{"price": pack, "quantity": 1}],
            "success_url": "https://app.example/done",
        }
    )
    invoice = await client.v1.invoices.create_async({"customer": customer, "currency": "usd"})
    await client.v1.invoice_items.create_async(
        {"customer": customer, "invoice": str(invoice.id), "pricing": {"price": pack}}
    )
    charge = there.state.all("charge")[0]["id"]
    await client.v1.refunds.create_async({"charge": charge, "amount": 10})
    there.dispute(charge)
    seen = set[str]()
    for kind, shape in FIXTURES.items():
        for made in there.state.all(kind):
            seen.add(kind)
            assert made.keys() == shape.keys(), kind
            for name, value in made.items():
                if value is not None and shape[name] is not None:
                    assert isinstance(value, type(shape[name])), (kind, name)
    assert seen == FIXTURES.keys()


async def test_those_without_a_test_clock_live_at_the_time_of_its_own(
    there: StripeServer, client: Client, at_hand: Sandbox
) -> None:
    apart = await at_hand.subscribed()
    params: Any = {"customer": await at_hand.customer(), "items": [{"price": await at_hand.price(3000)}]}
    subscription = await client.v1.subscriptions.create_async(params)
    there.advance(days=32)
    await at_hand.owes(subscription, ("paid", 3000), ("paid", 3000))
    await at_hand.owes(apart, ("paid", 3000))


async def test_a_payment_that_fails_is_tried_again_until_it_is_paid(at_hand: Sandbox) -> None:
    subscription = await at_hand.subscribed()
    await at_hand.use(str(subscription.customer), DECLINED)
    ends = period_of(subscription)[1]
    await at_hand.advance(subscription, to=ends + 2 * HOUR)
    await at_hand.stands(subscription, "past_due")
    await at_hand.use(str(subscription.customer), GOOD)
    await at_hand.advance(subscription, to=ends + 3 * DAY)
    await at_hand.stands(subscription, "active")
    await at_hand.owes(subscription, ("paid", 3000), ("paid", 3000))


async def test_one_that_is_never_paid_ends(there: StripeServer, at_hand: Sandbox) -> None:
    subscription = await at_hand.subscribed()
    await at_hand.use(str(subscription.customer), DECLINED)
    told(there)
    await at_hand.advance(subscription, to=period_of(subscription)[1] + 10 * DAY)
    await at_hand.stands(subscription, "canceled")
    assert told(there).count("invoice.payment_failed") == 5


async def test_a_schedule_is_kept_until_its_last_phase_is_over(client: Client, at_hand: Sandbox) -> None:
    subscription = await at_hand.subscribed(10000)
    schedule = await planned(at_hand, subscription, await at_hand.price(3000))
    await at_hand.advance(subscription, to=period_of(subscription)[1] + 2 * HOUR)
    after = await at_hand.again(subscription)
    kept = await client.v1.subscription_schedules.retrieve_async(schedule)
    assert (after.schedule, kept.status) == (schedule, "active")
    assert kept.current_phase is not None
    assert (kept.current_phase.start_date, kept.current_phase.end_date) == period_of(after)
    await at_hand.advance(subscription, to=period_of(after)[1] + 2 * HOUR)
    assert (await at_hand.again(subscription)).schedule is None
    await at_hand.owes(subscription, ("paid", 10000), ("paid", 3000), ("paid", 3000))


async def test_what_cannot_be_made_leaves_nothing_to_tell(
    there: StripeServer, client: Client, at_hand: Sandbox
) -> None:
    subscription = await at_hand.subscribed()
    await at_hand.use(str(subscription.customer), DECLINED)
    change: Any = {
        "items": [{"id": item_of(subscription)["id"], "quantity": 2}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }
    told(there)
    with pytest.raises(stripe.CardError):
        await client.v1.subscriptions.update_async(subscription.id, change)
    assert told(there) == []
    await at_hand.owes(subscription, ("paid", 3000))


async def test_a_clock_that_is_deleted_ends_what_ran_on_it(there: StripeServer, at_hand: Sandbox) -> None:
    subscription = await at_hand.subscribed()
    told(there)
    await at_hand.client.v1.test_helpers.test_clocks.delete_async(str(subscription.test_clock))
    await at_hand.stands(subscription, "canceled")
    assert told(there) == [
        "customer.deleted",
        "customer.subscription.deleted",
        "test_helpers.test_clock.deleted",
    ]


async def test_a_checkout_makes_a_subscription(there: StripeServer, client: Client, at_hand: Sandbox) -> None:
    plan, seat = await at_hand.price(4900), await at_hand.price(800)
    clock = await at_hand.clock(int(there.state.now) + 100 * DAY)
    params: Any = {
        "mode": "subscription",
        "customer": await at_hand.customer(None, clock=clock),
        "line_items": [{"price": plan, "quantity": 1}, {"price": seat, "quantity": 3}],
        "success_url": "https://app.example/done?session={CHECKOUT_SESSION_ID}",
        "subscription_data": {"metadata": {"account": "acc_1"}},
    }
    session = await client.v1.checkout.sessions.create_async(params)
    assert there.pay(session.id, "0341") == "card_declined"
    assert there.pay(session.id) is None
    assert there.pay(session.id) == "session_over"
    after = await client.v1.checkout.sessions.retrieve_async(session.id)
    assert (after.status, after.payment_status) == ("complete", "paid")
    subscription = await client.v1.subscriptions.retrieve_async(str(after.subscription))
    assert (subscription.status, subscription.metadata["account"]) == ("active", "acc_1")
    assert (subscription.test_clock, subscription.created) == (clock, await at_hand.now(subscription))
    assert "checkout.session.completed" in told(there)


async def test_a_request_that_was_made_is_not_made_again(there: StripeServer, client: Client) -> None:
    options: Any = {"idempotency_key": "k1"}
    one = await client.v1.customers.create_async({"email": "a@example.com"}, options)
    other = await client.v1.customers.create_async({"email": "a@example.com"}, options)
    assert (one.id, len(there.state.all("customer"))) == (other.id, 1)


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


def test_a_state_that_was_kept_before_there_were_clocks_has_none() -> None:
    state = State(objects={"customer": {}})
    assert state.all("test_helpers.test_clock") == state.all("subscription") == []


def test_events_are_signed_as_stripe_signs() -> None:
    body = json.dumps({"id": "evt_1", "object": "event"}).encode()
    signed = signature(body, WEBHOOK_SECRET, 1)
    event = stripe.Webhook.construct_event(body, signed, WEBHOOK_SECRET, tolerance=10**12)
    assert event.id == "evt_1"
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body, signed, "whsec_other", tolerance=10**12)
