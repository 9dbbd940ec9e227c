"""A pack that is bought without anybody at a page: an invoice that the customer's card pays."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

import stripe

from adapters.stripe.client import MISSING, asking
from adapters.stripe.prices import StripePrices, tag
from adapters.stripe.reading import ACCOUNT, id_of
from domain.billing.errors import PaymentDeclined, PaymentsRefused
from domain.billing.top_up import TopUp
from domain.ids import account_text

TOP_UP = "cuebx_top_up"
"""In the metadata of an invoice: what it is for."""
_SKEW = timedelta(minutes=10)  # of Stripe's clock and ours


class StripePurchases:
    """Each step has a key of its own, so that one that is taken up again goes on where it was cut off.

    What the keys no longer tell, the invoice does.
    """

    def __init__(self, client: stripe.StripeClient, prices: StripePrices) -> None:
        self._client = client
        self._prices = prices

    async def buy(self, top_up: TopUp, customer: str, *, begin: bool) -> str | None:
        """The invoice, which is paid. One that is not is voided, so that nobody pays it later."""
        invoice = await self._begun(top_up, customer)
        if invoice is None and not begin:
            return None
        if invoice is None or invoice.status == "draft":
            price = (await self._prices.ids([top_up.lookup_key]))[top_up.lookup_key]
            card = await self._card(customer)
            invoice = await self._asked_for(top_up, customer, price, invoice)
        elif invoice.status == "open":
            card = await self._card(customer)
        if invoice.status == "void":
            raise PaymentDeclined("card_declined")
        if invoice.status != "paid":
            await self._pay(top_up, str(invoice.id), card)
        return str(invoice.id)

    async def _asked_for(
        self,
        top_up: TopUp,
        customer: str,
        price: str,
        invoice: Any | None,  # noqa: ANN401 - stripe.Invoice
    ) -> Any:  # noqa: ANN401 - as above
        """One that can be paid: begun, if it is not, and with the pack on it."""
        invoice = invoice or await self._begin(top_up, customer, price)
        id = str(invoice.id)
        with asking():
            if not invoice.lines.data:
                item: Any = {"customer": customer, "invoice": id, "pricing": {"price": price}, "quantity": 1}
                await self._client.v1.invoice_items.create_async(item, _key(top_up, "item"))
            return await self._client.v1.invoices.finalize_invoice_async(id, {}, _key(top_up, "finalize"))

    async def _begun(self, top_up: TopUp, customer: str) -> Any | None:  # noqa: ANN401 - stripe.Invoice
        """Stripe forgets a key after a day, and may be away for longer: so the invoice is looked for."""
        since = int((top_up.created_at - _SKEW).timestamp())
        with asking():
            page = await self._client.v1.invoices.list_async(
                {"customer": customer, "created": {"gte": since}, "limit": 100}
            )
            async for each in page.auto_paging_iter():
                if tag(each.metadata, TOP_UP) == str(top_up.id):
                    return each
        return None

    async def _begin(self, top_up: TopUp, customer: str, price: str) -> Any:  # noqa: ANN401 - as above
        made: Any = {
            "customer": customer,
            "collection_method": "charge_automatically",
            "auto_advance": False,
            "pending_invoice_items_behavior": "exclude",
            "metadata": {ACCOUNT: account_text(top_up.account), TOP_UP: str(top_up.id)},
        }
        with asking():
            made["currency"] = (await self._client.v1.prices.retrieve_async(price)).currency
            return await self._client.v1.invoices.create_async(made, _key(top_up, "invoice"))

    async def _pay(self, top_up: TopUp, invoice: str, card: str) -> None:
        try:
            with asking():
                await self._client.v1.invoices.pay_async(
                    invoice, {"off_session": True, "payment_method": card}, _key(top_up, f"pay:{card}")
                )
        except PaymentDeclined:
            with suppress(PaymentsRefused), asking():
                await self._client.v1.invoices.void_invoice_async(invoice, {}, _key(top_up, "void"))
            raise

    async def _card(self, customer: str) -> str:
        """The customer's own, or else the one that pays a subscription, or that bought a pack before.

        Raises PaymentDeclined where there is none.
        """
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
        for each in kept.data:
            return each.id
        raise PaymentDeclined("payment_method_missing")


def _key(top_up: TopUp, step: str) -> Any:  # noqa: ANN401 - stripe.RequestOptions
    return {"idempotency_key": f"top_up:{top_up.id}:{step}"}
