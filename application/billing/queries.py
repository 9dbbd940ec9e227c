"""What a workspace subscribes to, and what it was asked to pay."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.actor import Member
from application.billing.ports import BillingTx, Payments
from application.billing.subscribe import OpenCheckout
from application.catalog.ports import Catalog
from application.pages import Page
from application.ports import UnitOfWork
from domain.billing.invoice import Invoice
from domain.billing.standing import living
from domain.billing.subscription import Subscription
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.usage.account import Account


@dataclass(frozen=True, slots=True)
class OnSale:
    """A product, and its plans, the cheapest first."""

    product: Product
    plans: Sequence[Plan]


@dataclass(frozen=True, slots=True)
class ListPlans:
    catalog: Catalog

    async def __call__(self) -> Sequence[OnSale]:
        """Anybody may see what is for sale."""
        return [OnSale(each, await self.catalog.plans(each.key)) for each in await self.catalog.products()]


@dataclass(frozen=True, slots=True)
class Subscribed:
    """An account, and the subscription that its plan comes from, if there is one."""

    account: Account
    subscription: Subscription | None


@dataclass(frozen=True, slots=True)
class LookAtBilling:
    uow: UnitOfWork[BillingTx]

    async def subscriptions(self, actor: Member) -> Sequence[Subscribed]:
        """Each account of the workspace, the oldest first."""
        async with self.uow() as tx:
            return [
                Subscribed(account, living(await tx.subscriptions.of(account.id)))
                for account in await tx.accounts.of(actor.workspace)
            ]

    async def invoices(self, actor: Member, *, after: str | None, limit: int) -> Page[Invoice]:
        """The newest first."""
        async with self.uow() as tx:
            accounts = [each.id for each in await tx.accounts.of(actor.workspace)]
            found = await tx.invoices.page(accounts, after=after, limit=limit + 1)
        return Page.of(found, limit)


@dataclass(frozen=True, slots=True)
class OpenPortal:
    payments: Payments
    uow: UnitOfWork[BillingTx]
    checkouts: OpenCheckout

    async def __call__(self, actor: Member) -> str:
        """The address of a page at Stripe. Raises PaymentsUnavailable, PaymentsRefused, BillingOff."""
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(actor.workspace)
        return await self.payments.open_portal(await self.checkouts.customer(workspace))
