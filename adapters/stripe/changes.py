"""What is done to a subscription at Stripe."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import stripe

from adapters.stripe.client import asking
from adapters.stripe.prices import StripePrices, sold_by
from adapters.stripe.reading import id_of
from domain.billing.change import Quote, Wanted
from domain.billing.errors import PaymentsRefused
from domain.billing.sold import Sold
from domain.billing.subscription import OVER, Subscription


class StripeChanges:
    def __init__(self, client: stripe.StripeClient, prices: StripePrices) -> None:
        self._client = client
        self._prices = prices

    async def preview(self, has: Subscription, wanted: Wanted, at: datetime) -> Any:  # noqa: ANN401 - stripe.Invoice
        details: Any = {
            "items": await self._items(await self._there(has), wanted),
            "proration_behavior": "always_invoice",
            "proration_date": int(at.timestamp()),
        }
        with asking():
            return await self._client.v1.invoices.create_preview_async(
                {"subscription": has.id, "subscription_details": details}
            )

    async def change(self, has: Subscription, quote: Quote) -> str:
        """Paid at once, or not made at all. The answer is the invoice.

        What was planned for the period's end is planned no more, once this is paid.
        """
        there = await self._there(has)
        if _has(there) != _keys(quote.wanted):
            params: Any = {
                "items": await self._items(there, quote.wanted),
                "proration_behavior": "always_invoice",
                "proration_date": int(quote.at.timestamp()),
                "payment_behavior": "error_if_incomplete",
            }
            with asking():
                there = await self._client.v1.subscriptions.update_async(
                    has.id, params, {"idempotency_key": f"change:{quote.id}"}
                )
        await self._release(id_of(there.schedule))
        return str(id_of(there.latest_invoice))

    async def schedule(self, has: Subscription, quote: Quote) -> None:
        """From the end of the period on.

        A schedule is kept for the period that it has changed to: its first phase may be over.
        """
        known = id_of((await self._there(has)).schedule)
        with asking():
            if known is None:
                made: Any = await self._client.v1.subscription_schedules.create_async(
                    {"from_subscription": has.id}, {"idempotency_key": f"schedule:{quote.id}"}
                )
            else:
                made = await self._client.v1.subscription_schedules.retrieve_async(known)
        current = next(each for each in made.phases if each.start_date == made.current_phase.start_date)
        now = {
            "items": [
                {"price": str(id_of(each["price"])), "quantity": each["quantity"]}
                for each in current["items"]
            ],
            "start_date": current.start_date,
            "end_date": current.end_date,
            "proration_behavior": "none",
        }
        keys = _keys(quote.wanted)
        prices = await self._prices.ids(list(keys))
        then = {
            "items": [{"price": prices[key], "quantity": count} for key, count in keys.items()],
            "proration_behavior": "none",
        }
        params: Any = {"phases": [now, then], "end_behavior": "release"}
        with asking():
            await self._client.v1.subscription_schedules.update_async(
                made.id, params, {"idempotency_key": f"phases:{quote.id}"}
            )

    async def cancel(self, has: Subscription) -> None:
        try:
            with asking():
                await self._client.v1.subscriptions.cancel_async(has.id, {"prorate": False})
        except PaymentsRefused:
            if (await self._there(has)).status not in OVER:  # somebody else was faster
                raise

    async def resume(self, has: Subscription) -> None:
        with asking():
            await self._client.v1.subscriptions.resume_async(has.id)

    async def end_at_period_end(self, has: Subscription, *, ends: bool) -> None:
        """Or, after all, not. What was planned for the next period is planned no more."""
        await self._release(id_of((await self._there(has)).schedule))
        with asking():
            await self._client.v1.subscriptions.update_async(has.id, {"cancel_at_period_end": ends})

    async def _there(self, has: Subscription) -> Any:  # noqa: ANN401 - stripe.Subscription
        with asking():
            return await self._client.v1.subscriptions.retrieve_async(has.id)

    async def _release(self, schedule: str | None) -> None:
        """The subscription goes on without it, as it is."""
        if schedule is None:
            return
        with asking():
            there = await self._client.v1.subscription_schedules.retrieve_async(schedule)
            if there.status in {"active", "not_started"}:
                await self._client.v1.subscription_schedules.release_async(schedule)

    async def _items(self, there: Any, wanted: Wanted) -> Sequence[dict[str, Any]]:  # noqa: ANN401 - as above
        """Each item that is there becomes what it is to be, or goes."""
        keys = _keys(wanted)
        prices = await self._prices.ids(list(keys))
        of_kind = {parsed.kind: key for key in keys if (parsed := Sold.parse(key)) is not None}
        items = list[dict[str, Any]]()
        for each in there["items"].data:
            sold = sold_by(each.price)
            if sold is None:
                continue
            key = of_kind.pop(sold.kind, None)
            if key is None:
                items.append({"id": each.id, "deleted": True})
            else:
                items.append({"id": each.id, "price": prices[key], "quantity": keys[key]})
        items += [{"price": prices[key], "quantity": keys[key]} for key in of_kind.values()]
        return items


def _has(there: Any) -> dict[str, int]:  # noqa: ANN401 - stripe.Subscription
    items = [(sold_by(each.price), each.quantity) for each in there["items"].data]
    return {sold.lookup_key: count for sold, count in items if sold is not None}


def _keys(wanted: Wanted) -> dict[str, int]:
    """How many of which price."""
    keys = {Sold.plan(wanted.plan).lookup_key: 1}
    if wanted.seats:
        keys[Sold.seat(wanted.plan).lookup_key] = wanted.seats
    return keys
