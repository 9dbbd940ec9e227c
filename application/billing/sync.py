"""From Stripe to CueBX: whatever was told, and in whichever order, what Stripe has now is what counts."""

import logging
from dataclasses import dataclass, replace

from application.actor import Operator
from application.audit.record import Record
from application.billing.notices import TellAdmins
from application.billing.ports import BillingTx, Payments
from application.catalog.ports import Catalog
from application.ports import Clock, NewId, UnitOfWork
from application.usage.ports import Ledger
from domain.billing.dunning import day
from domain.billing.errors import PackMissing
from domain.billing.invoice import Due, Invoice, InvoiceStatus, dues
from domain.billing.sold import Sold, SoldKind
from domain.billing.standing import Standing, decides, standing
from domain.billing.subscription import Status, Subscription
from domain.billing.terms import PackTerms, PlanTerms
from domain.catalog.plan import Plan
from domain.credits import format_hundredths
from domain.events import NotYet
from domain.ids import LotId, PlanRef, account_text
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.usage.grant import Grant
from domain.usage.lot import NEVER, Source
from domain.usage.take_back import TakeBack
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing

TRIES = 5
_SOURCES = {SoldKind.PLAN: Source.ALLOCATION, SoldKind.PACK: Source.TOP_UP}
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncSubscription:
    """Reads a subscription at Stripe, and has the account follow it.

    What was read before somebody else wrote is read again: old news never overwrites new.
    """

    payments: Payments
    catalog: Catalog
    uow: UnitOfWork[BillingTx]
    record: Record
    tell: TellAdmins
    clock: Clock

    async def __call__(self, id: str) -> bool:
        """Whether it is of CueBX. Raises NotYet, PaymentsUnavailable, PaymentsRefused, PlanMissing."""
        for _ in range(TRIES):
            async with self.uow() as tx:
                fence = await tx.subscriptions.fence(id)
            seen = await self.payments.subscription(id)
            if seen is None:
                return False
            try:
                if await self._follow(seen, fence):
                    return True
            except AccountMissing:
                _log.warning("subscription %s is of %s, which is not here", id, account_text(seen.account))
                return False
            except WorkspaceMissing:
                await self._end(seen)
                return False
        raise NotYet

    async def _follow(self, seen: Subscription, fence: int) -> bool:
        """False where it has to be read again. Raises AccountMissing, WorkspaceMissing, PlanMissing."""
        async with self.uow() as tx:
            account = await tx.accounts.get(seen.account)
            known = await tx.subscriptions.of(account.id)
        otherwise = await self._otherwise(account)
        wanted = {seen.plan, otherwise, *(each.plan for each in known)}
        plan = await self.catalog.plan(seen.plan)
        plans = {each: terms_of(await self.catalog.plan(each)) for each in wanted}
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(account.workspace)
            await tx.accounts.hold(workspace.id)
            before = {each.id: each for each in await tx.subscriptions.of(account.id)}
            if await tx.subscriptions.fence(seen.id) != fence or before.keys() - {each.id for each in known}:
                return False
            if await tx.customers.of(workspace.id) != seen.customer:
                _log.error("subscription %s names an account that is not its customer's", seen.id)
                return True
            if before.get(seen.id) != seen:
                await tx.subscriptions.save(seen)
            after = sorted({**before, seen.id: seen}.values(), key=lambda each: (each.created_at, each.id))
            if decides(seen, list(before.values()), after):
                await self._apply(tx, workspace, account, standing(after, plans, otherwise=otherwise))
            await self._tell(tx, workspace, seen, plan)
        return True

    async def _end(self, seen: Subscription) -> None:
        """Its workspace was deleted while somebody paid on a page: that money is for somebody to look at."""
        if seen.over:
            return
        await self.payments.cancel(seen)
        _log.error("ALARM: subscription %s was of a deleted workspace, and ended; see to its refund", seen.id)

    async def _otherwise(self, account: Account) -> PlanRef:
        """What it has without a subscription: a free plan, the one that it has or the product's, if any."""
        if (await self.catalog.plan(account.plan)).free:
            return account.plan
        for plan in await self.catalog.plans(account.plan.product):
            if plan.free:
                return PlanRef(plan.product, plan.key, plan.version)
        return account.plan

    async def _apply(self, tx: BillingTx, workspace: Workspace, account: Account, stands: Standing) -> None:
        if stands.plan != account.plan:
            was, now = {"plan": str(account.plan)}, {"plan": str(stands.plan)}
            target = account_text(account.id)
            await self.record(tx, Operator(), workspace.id, "plan.changed", target, before=was, after=now)
        await tx.accounts.settle(account.id, stands.plan, freezes_at=stands.freezes_at)
        if workspace.kind is Kind.TEAM and workspace.seats != stands.seats:
            await tx.workspaces.save(replace(workspace, seats=stands.seats))

    async def _tell(self, tx: BillingTx, workspace: Workspace, seen: Subscription, plan: Plan) -> None:
        """Each once."""
        facts = {"plan": plan.name}
        if (freezes_at := seen.freezes_at(plan.grace_days)) is not None:
            template, about = "payment_failed", f"{seen.id} {seen.owed_since}"
            facts["freezes_at"] = day(freezes_at)
        elif seen.status is Status.CANCELED:
            template, about = "subscription_ended", seen.id
        elif seen.status is Status.PAUSED:
            template, about = "subscription_paused", f"{seen.id} {seen.period_start}"
        elif (ends := seen.trial_ends_soon(self.clock.now())) is not None:
            template, about = "trial_ending", f"{seen.id} {ends}"
            monthly = plan.monthly(seen.seats)
            facts |= {"ends_at": day(ends), "price": f"{format_hundredths(monthly)} {plan.currency}"}
        else:
            return
        await self.tell.once(tx, workspace, seen.account, template=template, about=about, facts=facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncInvoice:
    """Reads an invoice at Stripe, and grants what it paid for, or takes back what was paid back.

    Each lot is granted once, and what is taken back of it is all that goes back by now, so that it does not
    matter how often this happens. Whoever finds that somebody else has read Stripe since does it again.
    """

    payments: Payments
    catalog: Catalog
    ledger: Ledger
    uow: UnitOfWork[BillingTx]
    new_id: NewId

    async def __call__(self, id: str) -> Invoice | None:
        """None for what is not of CueBX. Raises NotYet while a hold keeps what is to be taken back."""
        for _ in range(TRIES):
            async with self.uow() as tx:
                fence = await tx.invoices.fence(id)
            invoice = await self.payments.invoice(id)
            if invoice is None:
                return None
            try:
                kept = await self._keep(invoice, fence)
            except AccountMissing:
                return None
            if kept is None:
                continue
            if invoice.status is InvoiceStatus.PAID:
                await self._grant(invoice)
            async with self.uow() as tx:
                if await tx.invoices.fence(id) == kept:
                    return invoice
        raise NotYet

    async def _keep(self, invoice: Invoice, fence: int) -> int | None:
        """The fence then; None where it has to be read again. Raises AccountMissing."""
        async with self.uow() as tx:
            account = await tx.accounts.get(invoice.account)
            if await tx.customers.of(account.workspace) != invoice.customer:
                _log.error("invoice %s names an account that is not its customer's", invoice.id)
                raise AccountMissing
            await tx.accounts.hold(account.workspace)
            if await tx.invoices.fence(invoice.id) != fence:
                return None
            if await tx.invoices.find(account.id, invoice.id) == replace(invoice, lines=()):
                return fence
            await tx.invoices.save(invoice)
        return fence + 1

    async def dues(self, invoice: Invoice) -> tuple[Due, ...]:
        """The lots that it stands for. Raises PlanMissing, ProductMissing, PackMissing."""
        plans, packs = dict[Sold, PlanTerms](), dict[Sold, PackTerms]()
        for sold in {each.sold for each in invoice.lines if each.sold is not None}:
            if sold.kind is SoldKind.PLAN:
                plans[sold] = terms_of(await self.catalog.plan(sold.ref))
            elif sold.kind is SoldKind.PACK:
                product = await self.catalog.product(sold.product, sold.version)
                if sold.key not in product.packs:
                    raise PackMissing(sold.product, sold.key)
                pack = product.packs[sold.key]
                packs[sold] = PackTerms(pack.credits, pack.days)
        return tuple(dues(invoice, plans, packs))

    async def _grant(self, invoice: Invoice) -> None:
        waits = 0
        for due in await self.dues(invoice):
            await self.ledger.execute(
                Grant(
                    account=invoice.account,
                    id=LotId(self.new_id()),
                    source=_SOURCES[due.kind],
                    amount=due.amount,
                    reference=due.reference,
                    starts_at=due.start,
                    expires_at=NEVER if due.end is None else due.end,
                )
            )
            back = due.back(invoice)
            taken = await self.ledger.execute(
                TakeBack(account=invoice.account, reference=due.reference, amount=back)
            )
            waits += taken.waits
        if waits:
            raise NotYet


def terms_of(plan: Plan) -> PlanTerms:
    return PlanTerms(plan.allocation, plan.seats, plan.grace_days)
