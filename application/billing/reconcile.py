"""Both books, side by side: what Stripe has, and what CueBX made of it."""

import logging
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass

from application.actor import Operator
from application.billing.leave import CloseCustomer
from application.billing.ports import BillingTx, Payments
from application.billing.sync import SyncInvoice, SyncSubscription, terms_of
from application.catalog.ports import Catalog
from application.ports import UnitOfWork
from domain.billing.drift import (
    Drift,
    Remedy,
    of_customer,
    of_fault,
    of_invoices,
    of_lots,
    of_plan_unpaid,
    of_standing,
    of_subscriptions,
)
from domain.billing.errors import BillingOff, PaymentsUnavailable
from domain.billing.invoice import Due, Invoice, InvoiceStatus
from domain.billing.standing import Standing, standing
from domain.billing.subscription import Subscription
from domain.errors import DomainError
from domain.events import NotYet
from domain.ids import WorkspaceId
from domain.usage.account import Account
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing

PAGE = 100
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """Compares every subscription, seat count, invoice and lot."""

    payments: Payments
    catalog: Catalog
    subscription: SyncSubscription
    invoice: SyncInvoice
    close: CloseCustomer
    uow: UnitOfWork[BillingTx]

    async def __call__(self, _: Operator, *, apply: bool = False) -> Sequence[Drift]:
        """Where they differ. With ``apply``, what a machine can put right is put right.

        Raises BillingOff, PaymentsUnavailable, PaymentsRefused.
        """
        found, after = list[Drift](), None
        while True:
            async with self.uow() as tx:
                page = await tx.customers.page(after=after, limit=PAGE)
            for workspace, customer in page:
                drifts = await self._seen(workspace, customer)
                found += drifts
                if apply:
                    await self._mend(workspace, drifts)
            if len(page) < PAGE:
                return found
            after = page[-1][0]

    async def _seen(self, workspace: WorkspaceId, customer: str) -> list[Drift]:
        """One that cannot be compared hides no other."""
        try:
            return await self._of(workspace, customer)
        except (BillingOff, PaymentsUnavailable):
            raise
        except DomainError as error:
            return [of_fault(customer, str(error))]

    async def _mend(self, workspace: WorkspaceId, drifts: Sequence[Drift]) -> None:
        """Reading again is safe: it grants and takes back once, whatever was done before."""
        if any(each.remedy is Remedy.CUSTOMER for each in drifts):
            await self.close(workspace)
        for id in dict.fromkeys(each.about for each in drifts if each.remedy is Remedy.SUBSCRIPTION):
            await self._again(self.subscription(id), id)
        for id in dict.fromkeys(each.about for each in drifts if each.remedy is Remedy.INVOICE):
            await self._again(self.invoice(id), id)

    async def _again(self, reading: Awaitable[object], id: str) -> None:
        """One that cannot be put right is no reason to leave the others as they are."""
        try:
            await reading
        except NotYet:
            _log.warning("a hold keeps what %s takes back; it is taken when that ends", id)
        except PaymentsUnavailable:
            raise
        except DomainError:
            _log.exception("%s could not be put right", id)

    async def _of(self, workspace: WorkspaceId, customer: str) -> list[Drift]:
        async with self.uow() as tx:
            try:
                found = await tx.workspaces.get(workspace)
            except WorkspaceMissing:
                return [of_customer(customer)]
            accounts = await tx.accounts.of(workspace)
        subscriptions = await self.payments.subscriptions_of(customer)
        invoices = await self.payments.invoices_of(customer)
        drifts = list[Drift]()
        for account in accounts:
            own = [each for each in subscriptions if each.account == account.id]
            billed = [each for each in invoices if each.account == account.id]
            drifts += await self._of_account(found, account, own, billed)
        return drifts

    async def _of_account(
        self,
        workspace: Workspace,
        account: Account,
        there: Sequence[Subscription],
        billed: Sequence[Invoice],
    ) -> list[Drift]:
        async with self.uow() as tx:
            here = await tx.subscriptions.of(account.id)
            invoices = await tx.invoices.of(account.id)
            lots = await tx.invoices.lots(account.id)
            freezes_at = await tx.accounts.freezes_at(account.id)
        drifts = [
            *of_subscriptions(account.id, here, there),
            *of_invoices(account.id, invoices, billed),
            *of_lots(account.id, lots, await self._dues(billed)),
        ]
        live = [each for each in there if each.entitled]
        if live:
            plans = {each.plan: terms_of(await self.catalog.plan(each.plan)) for each in live}
            stands = standing(live, plans, otherwise=live[0].plan)
            now = Standing(account.plan, workspace.seats, freezes_at)
            seats = workspace.kind is Kind.TEAM
            drifts += of_standing(account.id, now, stands, live[0].id, seats=seats)
        elif there and not (await self.catalog.plan(account.plan)).free:
            drifts += of_plan_unpaid(account.id, account.plan, there)
        return drifts

    async def _dues(self, invoices: Sequence[Invoice]) -> Mapping[str, tuple[Due, Invoice]]:
        dues = dict[str, tuple[Due, Invoice]]()
        for each in invoices:
            if each.status is InvoiceStatus.PAID:
                dues |= {due.reference: (due, each) for due in await self.invoice.dues(each)}
        return dues


@dataclass(frozen=True, slots=True)
class ReconcileDaily:
    """The job: it tells, and mends nothing."""

    reconcile: Reconcile

    async def __call__(self) -> Mapping[str, int]:
        """Raises PaymentsUnavailable, PaymentsRefused."""
        try:
            drifts = await self.reconcile(Operator())
        except BillingOff:
            return {}
        for each in drifts:
            _log.error(
                "ALARM: %s %s: here %s, at Stripe %s: %s",
                each.kind, each.about, each.here, each.there, each.remedy,
            )  # fmt: skip
        return {"drifts": len(drifts)}
