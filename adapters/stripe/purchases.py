"""A pack that is bought without anybody at a page: an invoice that the customer's card pays."""

from contextlib import suppress
from typing import Any

import stripe

from adapters.stripe.client import MISSING, asking
from adapters.stripe.prices import StripePrices
from adapters.stripe.reading import ACCOUNT, id_of
from domain.billing.errors import PaymentDeclined, PaymentsRefused
from domain.billing.top_up import TopUp
from domain.ids import account_text


class StripePurchases:
    """Each step has a key of its own, so that one that is taken up again goes on where it was cut off."""

    def __init__(self, client: stripe.StripeClient, prices: StripePrices) -> None:
        self._client = client
        self._prices = prices

    async def buy(self, top_up: TopUp, customer: str) -> str:
        """The invoice, which is paid. One that is not is voided, so that nobody pays it later."""
        price = (await self._prices.ids([top_up.lookup_key]))[top_up.lookup_key]
        card = await self._card(customer)
        if card is None:
            raise PaymentDeclined("payment_method_missing")
        made: Any = {
            "customer": customer,
            "collection_method": "charge_automatically",
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
            "metadata": {ACCOUNT: account_text(top_up.account)},
        }
        with asking():
            made["currency"] = (await self._client.v1.prices.retrieve_async(price)).currency
            invoice = await self._client.v1.invoices.create_async(made, _key(top_up, "invoice"))
            id = str(invoice.id)
            await self._client.v1.invoice_items.create_async(
                {"customer": customer, "invoice": id, "pricing": {"price": price}, "quantity": 1},
                _key(top_up, "item"),
            )
            await self._client.v1.invoices.finalize_invoice_async(id, {}, _key(top_up, "finalize"))
        try:
            with asking():
                await self._client.v1.invoices.pay_async(
                    id, {"off_session": True, "payment_method": card}, _key(top_up, "pay")
                )
        except PaymentDeclined:
            with suppress(PaymentsRefused), asking():
                await self._client.v1.invoices.void_invoice_async(id, {}, _key(top_up, "void"))
            raise
        return id

    async def _card(self, customer: str) -> str | None:
        """The customer's own, or else the one that pays a subscription, or that bought a pack before."""
        with asking():
            there = await self._client.v1.customers.retrieve_async(customer)
            if getattr(there, "deleted", False):  # Stripe tells of it, but of nothing that it had
                raise PaymentsRefused(MISSING)
            settings = there.invoice_settings
            card = None if settings is None else id_of(settings.default_payment_method)
            if card is not None:
                return card
            page = await self._client.v1.subscriptions.list_async({"customer": customer, "limit": 10})
            cards = (id_of(each.default_payment_method) for each in page.data)
            if (paying := next((each for each in cards if each is not None), None)) is not None:
                return paying
            kept = await self._client.v1.customers.payment_methods.list_async(customer, {"limit": 1})
        return next((each.id for each in kept.data), None)


def _key(top_up: TopUp, step: str) -> Any:  # noqa: ANN401 - stripe.RequestOptions
    return {"idempotency_key": f"top_up:{top_up.id}:{step}"}
