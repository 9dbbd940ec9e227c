"""An installation that sells nothing."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import NoReturn

from application.billing.ports import Happened, Payments, Session
from domain.billing.change import Quote, Wanted
from domain.billing.checkout import Checkout
from domain.billing.errors import BillingOff
from domain.billing.invoice import Invoice
from domain.billing.sold import Offer, PriceThere
from domain.billing.subscription import Subscription
from domain.billing.top_up import TopUp
from domain.ids import WorkspaceId


def _off() -> NoReturn:
    raise BillingOff


class NoPayments(Payments):
    async def subscription(self, id: str) -> Subscription | None:  # noqa: ARG002 - as below
        _off()

    async def invoice(self, id: str) -> Invoice | None:  # noqa: ARG002
        _off()

    async def invoice_paid_by(self, payment: str) -> str | None:  # noqa: ARG002
        _off()

    async def session(self, id: str) -> Session | None:  # noqa: ARG002
        _off()

    async def subscriptions_of(self, customer: str) -> Sequence[Subscription]:  # noqa: ARG002
        _off()

    async def invoices_of(self, customer: str) -> Sequence[Invoice]:  # noqa: ARG002
        _off()

    def events(self, since: datetime) -> AsyncIterator[Happened]:  # noqa: ARG002
        _off()

    async def open_customer(self, workspace: WorkspaceId, name: str, email: str | None) -> str:  # noqa: ARG002
        _off()

    async def close_customer(self, customer: str) -> None:  # noqa: ARG002
        _off()

    async def open_session(self, checkout: Checkout, customer: str) -> Session:  # noqa: ARG002
        _off()

    async def expire_session(self, id: str) -> Session | None:  # noqa: ARG002
        _off()

    async def prices(self) -> Sequence[PriceThere]:
        _off()

    async def add_price(self, offer: Offer) -> None:  # noqa: ARG002
        _off()

    async def restore_price(self, price: PriceThere) -> None:  # noqa: ARG002
        _off()

    async def buy(self, top_up: TopUp, customer: str, *, begin: bool) -> str | None:  # noqa: ARG002
        _off()

    async def preview(self, has: Subscription, wanted: Wanted, at: datetime) -> Invoice:  # noqa: ARG002
        _off()

    async def change(self, has: Subscription, quote: Quote) -> str:  # noqa: ARG002
        _off()

    async def schedule(self, has: Subscription, quote: Quote) -> None:  # noqa: ARG002
        _off()

    async def cancel(self, has: Subscription) -> None:  # noqa: ARG002
        _off()

    async def resume(self, has: Subscription) -> None:  # noqa: ARG002
        _off()

    async def end_at_period_end(self, has: Subscription, *, ends: bool) -> None:  # noqa: ARG002
        _off()

    async def open_portal(self, customer: str) -> str:  # noqa: ARG002
        _off()
