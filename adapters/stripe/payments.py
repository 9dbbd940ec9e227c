"""Stripe, as the use cases ask it."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any

import stripe

from adapters.stripe.changes import StripeChanges
from adapters.stripe.client import MISSING, StripeAccount, asking
from adapters.stripe.prices import StripePrices
from adapters.stripe.purchases import StripePurchases
from adapters.stripe.reading import ACCOUNT, at, id_of, invoice_from, price_of, subscription_from
from application.billing.ports import Happened, Payments, Session
from domain.billing.change import Quote, Wanted
from domain.billing.checkout import Checkout, CheckoutState, Purpose
from domain.billing.errors import PaymentsRefused
from domain.billing.invoice import Invoice
from domain.billing.sold import Offer, PriceThere, Sold
from domain.billing.subscription import OWING, Subscription
from domain.billing.top_up import TopUp
from domain.ids import WorkspaceId, account_text, workspace_text

_STATES = {
    "open": CheckoutState.OPEN,
    "complete": CheckoutState.COMPLETE,
    "expired": CheckoutState.EXPIRED,
}
_INQUIRY = "warning_"
"""A bank that only asks, and has taken nothing: https://docs.stripe.com/disputes/how-disputes-work."""


class StripePayments(Payments):
    def __init__(self, client: stripe.StripeClient, account: StripeAccount) -> None:
        self._client = client
        self._account = account
        self._prices = StripePrices(client)
        self._changes = StripeChanges(client, self._prices)
        self._purchases = StripePurchases(client, self._prices)

    async def subscription(self, id: str) -> Subscription | None:
        try:
            with asking():
                there: Any = await self._client.v1.subscriptions.retrieve_async(id)
        except PaymentsRefused as error:
            if error.reason == MISSING:
                return None
            raise
        return await self._subscription(there)

    async def _subscription(self, there: Any) -> Subscription | None:  # noqa: ANN401 - stripe.Subscription
        owed_since = await self._owed_since(there) if there.status in OWING else None
        return subscription_from(there, await self._next(there), owed_since)

    async def subscriptions_of(self, customer: str) -> Sequence[Subscription]:
        with asking():
            page = await self._client.v1.subscriptions.list_async(
                {"customer": customer, "status": "all", "limit": 100}
            )
            there = [each async for each in page.auto_paging_iter()]
        found = [await self._subscription(each) for each in there[::-1]]
        return [each for each in found if each is not None]

    async def invoices_of(self, customer: str) -> Sequence[Invoice]:
        with asking():
            page = await self._client.v1.invoices.list_async({"customer": customer, "limit": 100})
            there = [each async for each in page.auto_paging_iter() if each.status != "draft"]
        found = [await self._whole(each) for each in there[::-1]]
        return [each for each in found if each is not None]

    async def events(self, since: datetime) -> AsyncIterator[Happened]:
        with asking():
            page = await self._client.v1.events.list_async(
                {"created": {"gte": int(since.timestamp())}, "limit": 100}
            )
            async for each in page.auto_paging_iter():
                about = each.data.object.to_dict()
                payment = about.get("payment_intent")
                yield Happened(
                    event=each.id,
                    type=each.type,
                    about=str(about.get("id") or ""),
                    payment=payment if isinstance(payment, str) else None,
                    at=at(each.created),
                )

    async def _next(self, there: Any) -> Sequence[tuple[Sold, int]] | None:  # noqa: ANN401 - stripe.Subscription
        """What its schedule has it become when the period ends."""
        schedule = id_of(there.schedule)
        if schedule is None:
            return None
        with asking():
            plan: Any = await self._client.v1.subscription_schedules.retrieve_async(schedule)
        ends = there["items"].data[0].current_period_end
        phase = next((each for each in plan.phases if each.start_date >= ends), None)
        if phase is None:
            return None
        found = []
        for each in phase["items"]:
            sold = await self._prices.sold(str(id_of(each["price"])))
            if sold is not None:
                found.append((sold, int(each["quantity"])))
        return found

    async def _owed_since(self, there: Any) -> datetime:  # noqa: ANN401 - stripe.Subscription
        """Where no invoice is open, as somebody gave it up, what is owed is the period that goes on."""
        with asking():
            page = await self._client.v1.invoices.list_async(
                {"subscription": there.id, "status": "open", "limit": 100}
            )
        begun = at(there["items"].data[0].current_period_start)
        return min((at(each.created) for each in page.data), default=begun)

    async def invoice(self, id: str) -> Invoice | None:
        try:
            with asking():
                there = await self._client.v1.invoices.retrieve_async(id)
        except PaymentsRefused as error:
            if error.reason == MISSING:
                return None
            raise
        return await self._whole(there)

    async def _whole(self, there: Any) -> Invoice | None:  # noqa: ANN401 - stripe.Invoice
        return await self._read(there, await self._back(there.id) if there.amount_paid else 0)

    async def _read(self, there: Any, taken_back: int) -> Invoice | None:  # noqa: ANN401 - stripe.Invoice
        with asking():
            lines = [each async for each in there.lines.auto_paging_iter()]
        prices = {price for each in lines if (price := price_of(each)) is not None}
        sold = {each: await self._prices.sold(each) for each in sorted(prices)}
        return invoice_from(there, lines, sold, taken_back=taken_back)

    async def _back(self, invoice: str) -> int:
        """What is refunded of an invoice, or disputed and not won."""
        taken = 0
        with asking():
            payments = await self._client.v1.invoice_payments.list_async({"invoice": invoice, "limit": 100})
            for each in payments.data:
                intent = id_of(each.payment.payment_intent)
                if intent is None:
                    continue
                refunds = await self._client.v1.refunds.list_async({"payment_intent": intent, "limit": 100})
                taken += sum(
                    each.amount for each in refunds.data if each.status not in {"failed", "canceled"}
                )
                disputes = await self._client.v1.disputes.list_async({"payment_intent": intent, "limit": 100})
                taken += sum(
                    each.amount
                    for each in disputes.data
                    if each.status != "won" and not each.status.startswith(_INQUIRY)
                )
        return taken

    async def invoice_paid_by(self, payment: str) -> str | None:
        with asking():
            page = await self._client.v1.invoice_payments.list_async(
                {"payment": {"type": "payment_intent", "payment_intent": payment}}
            )
        return next((id_of(each.invoice) for each in page.data), None)

    async def session(self, id: str) -> Session | None:
        try:
            with asking():
                return _session(await self._client.v1.checkout.sessions.retrieve_async(id))
        except PaymentsRefused as error:
            if error.reason == MISSING:
                return None
            raise

    async def open_customer(self, workspace: WorkspaceId, name: str, email: str | None) -> str:
        text = workspace_text(workspace)
        params: Any = {"name": name, "metadata": {"cuebx_workspace": text}}
        if email is not None:
            params["email"] = email
        # Stripe refuses a key that comes back with other parameters, and a name may change between two tries.
        said = sha256(f"{name}\n{email}".encode()).hexdigest()[:16]
        with asking():
            made = await self._client.v1.customers.create_async(
                params, {"idempotency_key": f"customer:{text}:{said}"}
            )
        return made.id

    async def close_customer(self, customer: str) -> None:
        try:
            with asking():
                await self._client.v1.customers.delete_async(customer)
        except PaymentsRefused as error:
            if error.reason != MISSING:
                raise

    async def open_session(self, checkout: Checkout, customer: str) -> Session:
        prices = await self._prices.ids(list(checkout.wanted))
        metadata = {ACCOUNT: account_text(checkout.account)}
        params: Any = {
            "customer": customer,
            "line_items": [
                {"price": prices[key], "quantity": count} for key, count in checkout.wanted.items()
            ],
            "metadata": metadata,
            "success_url": self._account.return_url,
            "cancel_url": self._account.return_url,
            "expires_at": int(checkout.expires_at.timestamp()),
        }
        if checkout.purpose is Purpose.SUBSCRIBE:
            params |= {"mode": "subscription", "subscription_data": {"metadata": metadata}}
            if checkout.trial_days:
                params["subscription_data"]["trial_period_days"] = checkout.trial_days
        else:
            params |= {
                "mode": "payment",
                "invoice_creation": {"enabled": True, "invoice_data": {"metadata": metadata}},
                "payment_intent_data": {"setup_future_usage": "off_session"},
            }
        with asking():
            made = await self._client.v1.checkout.sessions.create_async(
                params, {"idempotency_key": f"checkout:{checkout.id}"}
            )
        return _session(made)

    async def expire_session(self, id: str) -> Session | None:
        try:
            with asking():
                return _session(await self._client.v1.checkout.sessions.expire_async(id))
        except PaymentsRefused:
            return await self.session(id)  # it was over

    async def prices(self) -> Sequence[PriceThere]:
        return await self._prices.all()

    async def add_price(self, offer: Offer) -> None:
        await self._prices.add(offer)

    async def restore_price(self, price: PriceThere) -> None:
        await self._prices.restore(price)

    async def buy(self, top_up: TopUp, customer: str, *, begin: bool) -> str | None:
        return await self._purchases.buy(top_up, customer, begin=begin)

    async def preview(self, has: Subscription, wanted: Wanted, at: datetime) -> Invoice:
        told = await self._read(await self._changes.preview(has, wanted, at), 0)
        if told is None:
            raise PaymentsRefused("preview")
        return told

    async def change(self, has: Subscription, quote: Quote) -> str:
        return await self._changes.change(has, quote)

    async def schedule(self, has: Subscription, quote: Quote) -> None:
        await self._changes.schedule(has, quote)

    async def cancel(self, has: Subscription) -> None:
        await self._changes.cancel(has)

    async def resume(self, has: Subscription) -> None:
        await self._changes.resume(has)

    async def end_at_period_end(self, has: Subscription, *, ends: bool) -> None:
        await self._changes.end_at_period_end(has, ends=ends)

    async def open_portal(self, customer: str) -> str:
        with asking():
            made = await self._client.v1.billing_portal.sessions.create_async(
                {"customer": customer, "return_url": self._account.return_url}
            )
        return made.url


def _session(there: stripe.checkout.Session) -> Session:
    return Session(
        id=there.id,
        state=_STATES[there.status or "open"],
        url=there.url,
        subscription=id_of(there.subscription),
        invoice=id_of(there.invoice),
    )
