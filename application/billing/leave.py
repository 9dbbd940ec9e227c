"""Nobody pays for what is gone."""

from dataclasses import dataclass
from typing import Protocol

from application.billing.ports import BillingTx, Customers, Payments, Subscriptions
from application.ports import Clock, Outbox, UnitOfWork
from application.workspaces.ports import WorkspaceAccounts
from domain.billing.checkout import CheckoutState
from domain.billing.errors import StillSubscribed
from domain.billing.events import CustomerGone
from domain.ids import WorkspaceId


class LeavingTx(Protocol):
    @property
    def accounts(self) -> WorkspaceAccounts: ...

    @property
    def customers(self) -> Customers: ...

    @property
    def subscriptions(self) -> Subscriptions: ...

    @property
    def outbox(self) -> Outbox: ...


async def check_pays_nothing(tx: LeavingTx, workspace: WorkspaceId) -> None:
    """Raises StillSubscribed."""
    products = [
        account.plan.product
        for account in await tx.accounts.of(workspace)
        if any(each.renews for each in await tx.subscriptions.of(account.id))
    ]
    if products:
        raise StillSubscribed(tuple(products))


async def leave(tx: LeavingTx, workspace: WorkspaceId) -> None:
    """Has the customer at Stripe deleted, if there is one, as soon as this is committed."""
    if await tx.customers.of(workspace) is not None:
        await tx.outbox.add(CustomerGone(workspace=workspace))


@dataclass(frozen=True, slots=True)
class CloseCustomer:
    """What still runs ends at once, no page can be paid on any more, and Stripe forgets who it was.

    May be repeated.
    """

    payments: Payments
    uow: UnitOfWork[BillingTx]
    clock: Clock

    async def __call__(self, workspace: WorkspaceId) -> None:
        """Raises PaymentsUnavailable, PaymentsRefused."""
        async with self.uow() as tx:
            customer = await tx.customers.of(workspace)
            open_ = [
                each
                for account in await tx.accounts.of(workspace)
                for each in await tx.checkouts.all_open(account.id)
            ]
        if customer is None:
            return
        for each in open_:
            if each.session is not None:
                await self.payments.expire_session(each.session)
        await self.payments.close_customer(customer)
        async with self.uow() as tx:
            for each in open_:
                await tx.checkouts.save(each.become(CheckoutState.EXPIRED))
            await tx.customers.close(workspace, self.clock.now())
