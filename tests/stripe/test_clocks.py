"""Stripe's test clocks, by which the suite moves time at Stripe."""

import time

import pytest
import stripe

from tests.stripe.sandbox import DAY, HOUR, Sandbox, period_of


async def test_what_a_customer_on_a_clock_has_lives_at_its_time(sandbox: Sandbox) -> None:
    at = int(time.time()) + 100 * DAY
    subscription = await sandbox.subscribed(at=at)
    clock = str(subscription.test_clock)
    [invoice] = await sandbox.invoices(subscription)
    customer = await sandbox.client.v1.customers.retrieve_async(str(subscription.customer))
    assert (customer.test_clock, invoice.test_clock) == (clock, clock)
    assert (subscription.created, invoice.created, period_of(subscription)[0]) == (at, at, at)


async def test_a_clock_advances_and_says_when_it_has_arrived(sandbox: Sandbox) -> None:
    clocks, now = sandbox.client.v1.test_helpers.test_clocks, int(time.time())
    clock = await sandbox.clock(now)
    before = await clocks.retrieve_async(clock)
    assert (before.status, before.frozen_time, before.name) == ("ready", now, sandbox.name)
    advancing = await clocks.advance_async(clock, {"frozen_time": now + HOUR})
    assert (advancing.status, advancing.frozen_time) == ("advancing", now)

    async def arrived() -> tuple[str, int]:
        there = await clocks.retrieve_async(clock)
        return there.status, there.frozen_time

    await sandbox.becomes(arrived, ("ready", now + HOUR))
    assert clock in [each.id for each in (await clocks.list_async({"limit": 100})).data]


async def test_a_clock_goes_neither_back_nor_further_than_two_periods(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    now = await sandbox.now(subscription)
    for to in (now - DAY, now, now + 70 * DAY):
        with pytest.raises(stripe.InvalidRequestError):
            await sandbox.advance(subscription, to=to)
    assert await sandbox.now(subscription) == now


async def test_each_clock_has_a_time_of_its_own(sandbox: Sandbox) -> None:
    one, other = await sandbox.subscribed(), await sandbox.subscribed()
    await sandbox.advance(one, to=period_of(one)[1] + 2 * HOUR)
    await sandbox.owes(one, ("paid", 3000), ("paid", 3000))
    await sandbox.owes(other, ("paid", 3000))


async def test_a_clock_has_three_customers_at_most(sandbox: Sandbox) -> None:
    clock = await sandbox.clock()
    for _ in range(3):
        await sandbox.customer(None, clock=clock)
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.customer(None, clock=clock)


async def test_those_on_a_clock_are_listed_by_it_alone(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    customer, clock = str(subscription.customer), str(subscription.test_clock)
    email = f"{sandbox.name}@example.com"
    customers, subscriptions = sandbox.client.v1.customers, sandbox.client.v1.subscriptions
    assert (await customers.list_async({"email": email})).data == []
    found = (await customers.list_async({"email": email, "test_clock": clock})).data
    assert [each.id for each in found] == [customer]
    on_it = (await subscriptions.list_async({"test_clock": clock})).data
    of_it = (await subscriptions.list_async({"customer": customer})).data
    assert [each.id for each in on_it] == [each.id for each in of_it] == [subscription.id]
    others = await subscriptions.list_async({"limit": 100, "price": subscription["items"].data[0].price.id})
    assert others.data == []


async def test_a_clock_that_is_deleted_takes_its_customers_with_it(sandbox: Sandbox) -> None:
    subscription = await sandbox.subscribed()
    gone = await sandbox.client.v1.test_helpers.test_clocks.delete_async(str(subscription.test_clock))
    assert gone.deleted

    async def deleted() -> bool:
        customer = await sandbox.client.v1.customers.retrieve_async(str(subscription.customer))
        return bool(getattr(customer, "deleted", False))

    await sandbox.becomes(deleted, wanted=True)
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.client.v1.test_helpers.test_clocks.retrieve_async(gone.id)
