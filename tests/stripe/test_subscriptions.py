"""Subscriptions at Stripe, as CueBX relies on them: what they ask for, when, and what follows from it."""

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest
import stripe

from tests.stripe.sandbox import DAY, DECLINED, GOOD, HOUR, Sandbox, item_of, period_of, planned


def at(month: int, day: int) -> int:
    return int(datetime(2026, month, day, 12, tzinfo=UTC).timestamp())


async def test_a_new_period_is_asked_for_an_hour_after_it_has_begun(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    assert subscription.status == "active"
    await sandbox.owes(subscription, ("paid", 3000))
    ends = period_of(subscription)[1]
    await sandbox.advance(subscription, to=ends + 60)
    assert period_of(await sandbox.again(subscription))[0] == ends
    await sandbox.owes(subscription, ("paid", 3000), ("draft", 3000))
    await sandbox.advance(subscription, to=ends + 2 * HOUR)
    await sandbox.owes(subscription, ("paid", 3000), ("paid", 3000))
    first, second = await sandbox.invoices(subscription)
    assert (first.billing_reason, second.billing_reason) == ("subscription_create", "subscription_cycle")
    assert second.parent is not None
    details = second.parent.subscription_details
    assert details is not None
    assert details.subscription == subscription.id
    assert second.lines.data[0].period.start == ends
    assert first.number != second.number


async def test_what_begins_on_a_31st_goes_on_at_the_end_of_shorter_months(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed(at=at(1, 31))
    assert period_of(subscription) == (at(1, 31), at(2, 28))
    await sandbox.advance(subscription, to=at(2, 28) + 2 * HOUR)
    assert period_of(await sandbox.again(subscription)) == (at(2, 28), at(3, 31))
    await sandbox.advance(subscription, to=at(3, 31) + 2 * HOUR)
    assert period_of(await sandbox.again(subscription)) == (at(3, 31), at(4, 30))
    await sandbox.owes(subscription, *[("paid", 3000)] * 3)


async def test_a_preview_is_what_the_change_costs(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    await sandbox.advance(subscription, to=period_of(subscription)[0] + 10 * DAY)
    now = await sandbox.now(subscription)
    change: Any = {
        "items": [{"id": item_of(subscription)["id"], "price": await sandbox.price(10000)}],
        "proration_behavior": "always_invoice",
        "proration_date": now,
    }
    preview = await sandbox.client.v1.invoices.create_preview_async(
        {"subscription": subscription.id, "subscription_details": change}
    )
    await sandbox.owes(subscription, ("paid", 3000))
    await sandbox.advance(subscription, to=now + 600)
    await sandbox.client.v1.subscriptions.update_async(subscription.id, change)
    await sandbox.owes(subscription, ("paid", 3000), ("paid", preview.total))
    made = (await sandbox.invoices(subscription))[-1]
    amounts = sorted(each.amount for each in made.lines.data)
    assert amounts == sorted(each.amount for each in preview.lines.data)
    assert amounts[0] < 0 < amounts[1]
    for line in made.lines.data:
        assert line.parent is not None
        details = line.parent.subscription_item_details or line.parent.invoice_item_details
        assert details is not None
        assert details.proration
        assert (line.period.start, line.period.end) == (now, period_of(subscription)[1])


async def test_what_is_added_is_paid_for_the_rest_of_the_period(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    start, end = period_of(subscription)
    await sandbox.advance(subscription, to=start + 10 * DAY)
    change: Any = {
        "items": [{"price": await sandbox.price(800), "quantity": 3}],
        "proration_behavior": "always_invoice",
        "proration_date": start + 10 * DAY,
    }
    changed = await sandbox.client.v1.subscriptions.update_async(subscription.id, change)
    assert sorted(each["quantity"] for each in changed["items"]["data"]) == [1, 3]
    made = (await sandbox.invoices(subscription))[-1]
    share = Fraction(end - start - 10 * DAY, end - start)
    assert abs(made.total - 2400 * share) <= 1
    assert (made.status, made.billing_reason) == ("paid", "subscription_update")


async def test_a_change_whose_payment_fails_is_not_made(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    await sandbox.use(str(subscription.customer), DECLINED)
    await sandbox.advance(subscription, to=period_of(subscription)[0] + 10 * DAY)
    change: Any = {
        "items": [{"id": item_of(subscription)["id"], "price": await sandbox.price(10000)}],
        "proration_behavior": "always_invoice",
        "payment_behavior": "error_if_incomplete",
    }
    with pytest.raises(stripe.CardError) as refused:
        await sandbox.client.v1.subscriptions.update_async(subscription.id, change)
    assert refused.value.code == "card_declined"
    after = await sandbox.again(subscription)
    assert (after.status, item_of(after)["price"]["unit_amount"]) == ("active", 3000)
    asked = [each.total for each in await sandbox.invoices(subscription) if each.status in {"open", "paid"}]
    assert asked == [3000]


async def test_a_trial_has_an_invoice_of_nothing_and_is_paid_for_from_its_end_on(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed(trial_period_days=14)
    assert subscription.status == "trialing"
    assert period_of(subscription) == (subscription.trial_start, subscription.trial_end)
    await sandbox.owes(subscription, ("paid", 0))
    ends = period_of(subscription)[1]
    await sandbox.advance(subscription, to=ends + 2 * HOUR)
    await sandbox.stands(subscription, "active")
    await sandbox.owes(subscription, ("paid", 0), ("paid", 3000))
    assert period_of(await sandbox.again(subscription))[0] == ends


async def test_the_end_of_a_trial_is_told_three_days_before(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed(trial_period_days=14)

    async def told() -> list[str]:
        page = await sandbox.client.v1.events.list_async(
            {"type": "customer.subscription.trial_will_end", "limit": 100}
        )
        return [each.type for each in page.data if each.data.object["id"] == subscription.id]

    await sandbox.advance(subscription, to=period_of(subscription)[0] + 10 * DAY)
    assert await told() == []
    await sandbox.advance(subscription, to=period_of(subscription)[0] + 12 * DAY)
    await sandbox.becomes(told, ["customer.subscription.trial_will_end"])


async def test_what_cannot_be_paid_is_past_due_until_it_is(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    customer = str(subscription.customer)
    await sandbox.use(customer, DECLINED)
    await sandbox.advance(subscription, to=period_of(subscription)[1] + 2 * HOUR)
    await sandbox.stands(subscription, "past_due")
    await sandbox.owes(subscription, ("paid", 3000), ("open", 3000))
    owed = str((await sandbox.invoices(subscription))[-1].id)
    with pytest.raises(stripe.CardError):
        await sandbox.client.v1.invoices.pay_async(owed)
    await sandbox.use(customer, GOOD)
    paid = await sandbox.client.v1.invoices.pay_async(owed)
    assert paid.attempt_count >= 2
    await sandbox.stands(subscription, "active")
    await sandbox.owes(subscription, ("paid", 3000), ("paid", 3000))


async def test_what_is_cancelled_at_the_end_of_its_period_can_be_resumed(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    ends = period_of(subscription)[1]
    update = sandbox.client.v1.subscriptions.update_async
    cancelled = await update(subscription.id, {"cancel_at_period_end": True})
    assert (cancelled.status, cancelled.cancel_at) == ("active", ends)
    resumed = await update(subscription.id, {"cancel_at_period_end": False})
    assert (resumed.status, resumed.cancel_at) == ("active", None)
    await update(subscription.id, {"cancel_at_period_end": True})
    await sandbox.advance(subscription, to=ends + 2 * HOUR)
    await sandbox.stands(subscription, "canceled")
    assert (await sandbox.again(subscription)).ended_at == ends
    await sandbox.owes(subscription, ("paid", 3000))


async def test_what_is_cancelled_at_once_is_over(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    over = await sandbox.client.v1.subscriptions.cancel_async(subscription.id, {"prorate": False})
    assert over.status == "canceled"
    assert over.ended_at is not None
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await sandbox.client.v1.subscriptions.cancel_async(subscription.id)
    assert refused.value.code == "resource_missing"
    listed = sandbox.client.v1.subscriptions.list_async
    assert (await listed({"customer": str(subscription.customer)})).data == []
    assert len((await listed({"customer": str(subscription.customer), "status": "all"})).data) == 1
    await sandbox.advance(subscription, to=period_of(subscription)[1] + 2 * HOUR)
    await sandbox.owes(subscription, ("paid", 3000))


async def test_a_schedule_changes_the_plan_when_the_period_ends(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed(10000)
    cheap = await sandbox.price(3000)
    schedule = await planned(sandbox, subscription, cheap)
    before = await sandbox.again(subscription)
    assert (before.schedule, item_of(before)["price"]["unit_amount"]) == (schedule, 10000)
    await sandbox.advance(subscription, to=period_of(subscription)[1] + 2 * HOUR)
    after = await sandbox.again(subscription)
    assert [each["price"]["id"] for each in after["items"]["data"]] == [cheap]
    await sandbox.owes(subscription, ("paid", 10000), ("paid", 3000))


async def test_what_is_released_from_its_schedule_stays_as_it_is(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed(10000)
    schedule = await planned(sandbox, subscription, await sandbox.price(3000))
    released = await sandbox.client.v1.subscription_schedules.release_async(schedule)
    assert (released.status, released.released_subscription) == ("released", subscription.id)
    assert (await sandbox.again(subscription)).schedule is None
    await sandbox.advance(subscription, to=period_of(subscription)[1] + 2 * HOUR)
    await sandbox.owes(subscription, ("paid", 10000), ("paid", 10000))
