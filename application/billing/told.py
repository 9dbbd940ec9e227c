"""What Stripe tells by webhooks: kept first, acted on later."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.billing.ports import BillingTx, Happened, Payments
from application.billing.sync import SyncInvoice, SyncSubscription
from application.ports import Clock, UnitOfWork
from domain.billing.checkout import CheckoutState
from domain.billing.errors import SignatureRefused
from domain.billing.events import StripeTold

_log = logging.getLogger(__name__)


class CheckSignature(Protocol):
    """https://docs.stripe.com/webhooks#verify-manually."""

    def __call__(self, body: bytes, header: str) -> None:
        """Raises SignatureRefused."""


class NoSignature(CheckSignature):
    def __call__(self, body: bytes, header: str) -> None:  # noqa: ARG002 - whatever they are
        raise SignatureRefused("this installation has no secret of a Stripe webhook")


@dataclass(frozen=True, slots=True)
class KeepStripeEvent:
    """Once, and what has to be done about it with it."""

    uow: UnitOfWork[BillingTx]
    clock: Clock
    check: CheckSignature

    async def __call__(self, told: Happened, body: bytes, signature: str) -> bool:
        """False where it was told before. Raises SignatureRefused."""
        self.check(body, signature)
        return bool(await keep(self.uow, [told], self.clock.now()))


async def keep(uow: UnitOfWork[BillingTx], events: Sequence[Happened], now: datetime) -> int:
    """How many of them were new, and wake a worker if anything is done about them."""
    async with uow() as tx:
        new = await tx.stripe_events.add(events, now)
        await tx.outbox.add(
            *(
                StripeTold(event=each.event, type=each.type, about=each.about, payment=each.payment)
                for each in new
                if each.about and heeded(each.type)
            )
        )
    return len(new)


def heeded(type_: str) -> bool:
    """Whether anything is done about events of this type."""
    return type_.startswith(
        (
            "customer.subscription.",
            "checkout.session.",
            "invoice.",
            "charge.refund",
            "charge.dispute.",
            "refund.",
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOnStripeEvent:
    """An event says only what to look at. May be repeated."""

    payments: Payments
    uow: UnitOfWork[BillingTx]
    subscription: SyncSubscription
    invoice: SyncInvoice

    async def __call__(self, event: StripeTold) -> None:
        """Raises NotYet, PaymentsUnavailable, PaymentsRefused, PlanMissing."""
        if event.type.startswith("customer.subscription."):
            await self.subscription(event.about)
        elif event.type.startswith("checkout.session."):
            await self.session(event.about)
        elif event.type.startswith("invoice."):
            await self._invoice(event.about)
        elif event.payment is not None:
            paid = await self.payments.invoice_paid_by(event.payment)
            if paid is not None:
                await self._invoice(paid)

    async def _invoice(self, id: str) -> None:
        """The plan before its credits: else the free plan's month would open, or not, by who comes first."""
        invoice = await self.payments.invoice(id)
        if invoice is None:
            return
        if invoice.subscription is not None:
            await self.subscription(invoice.subscription)
        await self.invoice(id)

    async def session(self, id: str) -> None:
        """What somebody did on the page where one pays."""
        seen = await self.payments.session(id)
        if seen is None:
            return
        if seen.subscription is not None:
            await self.subscription(seen.subscription)
        if seen.invoice is not None:
            await self.invoice(seen.invoice)
        if seen.state is CheckoutState.OPEN:
            return
        async with self.uow() as tx:
            checkout = await tx.checkouts.by_session(id)
            if checkout is not None:
                await tx.checkouts.save(checkout.become(seen.state))
