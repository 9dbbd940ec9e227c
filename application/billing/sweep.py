"""Events of Stripe's that never arrived."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from application.billing.ports import BillingTx, Happened, Payments
from application.billing.told import keep
from application.ports import Clock, UnitOfWork
from domain.billing.errors import BillingOff

PAGE = 100
FIRST = timedelta(days=3)
"""How far back is asked for the first time."""
AGAIN = timedelta(hours=1)
"""How far back beyond the last time: an event may be there later than it happened, and clocks differ."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStripeEvents:
    """The job: asks Stripe for whatever it told since the last time, however long ago that is."""

    payments: Payments
    uow: UnitOfWork[BillingTx]
    clock: Clock

    async def __call__(self) -> Mapping[str, int]:
        """Raises PaymentsUnavailable, PaymentsRefused."""
        now = self.clock.now()
        async with self.uow() as tx:
            swept = await tx.stripe_events.swept()
        found, page = 0, list[Happened]()
        try:
            async for told in self.payments.events((swept or now - FIRST) - AGAIN):
                page.append(told)
                if len(page) == PAGE:
                    found += await keep(self.uow, page, self.clock.now())
                    page = []
        except BillingOff:
            return {}
        found += await keep(self.uow, page, self.clock.now())
        async with self.uow() as tx:
            await tx.stripe_events.sweep(now)
        return {"found": found}
