"""What the suite makes at Stripe, by its public API alone, and takes away after each test."""

import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import uuid4

import stripe

from tests.servers import eventually

GOOD, DECLINED = "pm_card_visa", "pm_card_chargeCustomerFail"
HOUR = 3600
DAY = 86400
T = TypeVar("T")


@dataclass
class Sandbox:
    """``within`` and ``every``: the seconds that it waits for something, and those between two looks at it.

    Others use the same account: names are of this test alone, and lists are those of its own customers.
    """

    client: stripe.StripeClient
    made: AsyncExitStack
    within: float
    every: float
    name: str = field(default_factory=lambda: f"cuebx-test-{uuid4().hex[:12]}")

    async def clock(self, at: int | None = None) -> str:
        """A test clock that stands at that time, or now."""
        clocks = self.client.v1.test_helpers.test_clocks
        made = await clocks.create_async({"frozen_time": at or int(time.time()), "name": self.name})
        self.made.push_async_callback(_gone, clocks.delete_async, made.id)
        return made.id

    async def now(self, about: stripe.Subscription) -> int:
        return (await self._clock_of(about)).frozen_time

    async def advance(self, about: stripe.Subscription, *, to: int) -> None:
        """Stripe allows for two months at a time. All that is due by then is done, but perhaps a payment."""
        clock = await self._clock_of(about)
        await self.client.v1.test_helpers.test_clocks.advance_async(clock.id, {"frozen_time": to})

        async def status() -> str:
            return (await self._clock_of(about)).status

        await self.becomes(status, "ready")

    async def _clock_of(self, about: stripe.Subscription) -> stripe.test_helpers.TestClock:
        return await self.client.v1.test_helpers.test_clocks.retrieve_async(str(about.test_clock))

    async def becomes(self, ask: Callable[[], Awaitable[T]], wanted: T) -> None:
        """Waits until it is so, and fails with what there is instead."""
        seen = await ask()

        async def so() -> bool:
            nonlocal seen
            seen = await ask()
            return seen == wanted

        if seen != wanted:
            with suppress(TimeoutError):
                await eventually(so, within=self.within, every=self.every)
        assert seen == wanted

    async def price(self, amount: int, *, monthly: bool = True, **more: Any) -> str:  # noqa: ANN401
        """Of a product of its own."""
        products, prices = self.client.v1.products, self.client.v1.prices
        product = await products.create_async({"name": f"{self.name} {amount}"})
        self.made.push_async_callback(products.update_async, product.id, {"active": False})
        params: Any = {"product": product.id, "unit_amount": amount, "currency": "usd", **more}
        if monthly:
            params["recurring"] = {"interval": "month"}
        made = await prices.create_async(params)
        self.made.push_async_callback(prices.update_async, made.id, {"active": False})
        return made.id

    async def customer(self, card: str | None = GOOD, *, clock: str | None = None) -> str:
        params: Any = {"email": f"{self.name}@example.com"}
        if clock is not None:
            params["test_clock"] = clock
        made = await self.client.v1.customers.create_async(params)
        if clock is None:  # others go with their clock
            self.made.push_async_callback(_gone, self.client.v1.customers.delete_async, made.id)
        if card is not None:
            await self.use(made.id, card)
        return made.id

    async def use(self, customer: str, card: str) -> None:
        method = await self.client.v1.payment_methods.attach_async(card, {"customer": customer})
        await self.client.v1.customers.update_async(
            customer, {"invoice_settings": {"default_payment_method": method.id}}
        )

    async def subscribed(
        self,
        amount: int = 3000,
        *,
        at: int | None = None,
        **more: Any,  # noqa: ANN401 - parameters of Stripe's
    ) -> stripe.Subscription:
        """A new customer, on a clock of its own."""
        customer = await self.customer(clock=await self.clock(at))
        params: Any = {"customer": customer, "items": [{"price": await self.price(amount)}], **more}
        return await self.client.v1.subscriptions.create_async(params)

    async def again(self, subscription: stripe.Subscription) -> stripe.Subscription:
        """As it is now."""
        return await self.client.v1.subscriptions.retrieve_async(subscription.id)

    async def invoices(self, about: stripe.Subscription) -> list[stripe.Invoice]:
        """The oldest first."""
        page = await self.client.v1.invoices.list_async({"customer": str(about.customer), "limit": 100})
        return page.data[::-1]

    async def owes(self, about: stripe.Subscription, *wanted: tuple[str, int]) -> None:
        """Waits until its invoices stand like that and ask for so many cents, the oldest first."""

        async def ask() -> list[tuple[str, int]]:
            return [(str(each.status), each.total) for each in await self.invoices(about)]

        await self.becomes(ask, list(wanted))

    async def stands(self, subscription: stripe.Subscription, status: str) -> None:
        async def ask() -> str:
            return (await self.again(subscription)).status

        await self.becomes(ask, status)


def item_of(subscription: stripe.Subscription) -> Any:  # noqa: ANN401 - as the package has it behind dict.items
    return subscription["items"]["data"][0]


def period_of(subscription: stripe.Subscription) -> tuple[int, int]:
    item = item_of(subscription)
    return item["current_period_start"], item["current_period_end"]


async def planned(sandbox: Sandbox, subscription: stripe.Subscription, price: str) -> str:
    """The schedule by which it changes to that price when its period ends."""
    schedules = sandbox.client.v1.subscription_schedules
    schedule: Any = await schedules.create_async({"from_subscription": subscription.id})
    first = schedule.phases[0]
    now = {
        "items": [{"price": each["price"], "quantity": each["quantity"]} for each in first["items"]],
        "start_date": first.start_date,
        "end_date": first.end_date,
        "proration_behavior": "none",
    }
    then = {"items": [{"price": price, "quantity": 1}], "proration_behavior": "none"}
    params: Any = {"phases": [now, then], "end_behavior": "release"}
    made: Any = await schedules.update_async(schedule.id, params)
    assert [each.start_date for each in made.phases] == list(period_of(subscription))
    return str(made.id)


async def _gone(delete: Callable[[str], Awaitable[object]], id: str) -> None:
    """A test may have deleted it itself."""
    with suppress(stripe.InvalidRequestError):
        await delete(id)
