"""Packs of credits that are bought when an account runs low: one at a time, however many hear of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.actor import Member
from application.audit.record import Record
from application.billing.notices import TellAdmins
from application.billing.ports import BillingTx, Payments
from application.billing.subscribe import OpenCheckout
from application.billing.sync import SyncInvoice
from application.catalog.ports import Catalog
from application.ports import Clock, NewId, UnitOfWork
from application.usage.ports import UsageReader
from domain.billing.errors import NotSubscribed, PackMissing, PaymentDeclined, PaymentsRefused, PlanNotSold
from domain.billing.sold import Sold, SoldKind
from domain.billing.top_up import AFTER_FAILURE, AT_WORK, AutoTopUp, AutoTopUpMissing, TopUp, TopUpState
from domain.credits import format_credits
from domain.errors import DomainError
from domain.events import NotYet
from domain.ids import AccountId, account_text
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.workspaces.workspace import Workspace, WorkspaceMissing

MONTH = timedelta(days=30)
NOT_NEEDED = "not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAutoTopUp:
    catalog: Catalog
    uow: UnitOfWork[BillingTx]
    record: Record

    async def __call__(self, actor: Member, product: str, wanted: AutoTopUp) -> Account:
        """Raises PackMissing, NotSubscribed where the workspace has no account of the product."""
        await pack_of(self.catalog, product, wanted.pack)
        return await self._set(actor, product, wanted)

    async def remove(self, actor: Member, product: str) -> None:
        """Raises AutoTopUpMissing."""
        try:
            await self._set(actor, product, None)
        except NotSubscribed:
            raise AutoTopUpMissing from None

    async def all(self, actor: Member) -> Sequence[tuple[Account, AutoTopUp]]:
        async with self.uow() as tx:
            found = [
                (each, await tx.accounts.auto_top_up(each.id))
                for each in await tx.accounts.of(actor.workspace)
            ]
        return [(account, wanted) for account, wanted in found if wanted is not None]

    async def _set(self, actor: Member, product: str, wanted: AutoTopUp | None) -> Account:
        async with self.uow() as tx:
            await tx.workspaces.get(actor.workspace)
            for account in await tx.accounts.hold(actor.workspace):
                if account.plan.product == product:
                    break
            else:
                raise NotSubscribed(product)
            if wanted is None and account.top_up_below is None:
                raise AutoTopUpMissing
            facts = None
            if wanted is not None:
                facts = {
                    "below": format_credits(wanted.below),
                    "pack": wanted.pack,
                    "monthly": wanted.monthly,
                }
            target = account_text(account.id)
            await self.record(tx, actor, actor.workspace, "auto_top_up.set", target, after=facts)
            await tx.accounts.set_auto_top_up(account.id, wanted)
        return account


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyAutomatically:
    catalog: Catalog
    payments: Payments
    checkouts: OpenCheckout
    invoice: SyncInvoice
    usage: UsageReader
    uow: UnitOfWork[BillingTx]
    tell: TellAdmins
    clock: Clock
    new_id: NewId

    async def __call__(self, id: AccountId) -> bool:
        """Whether it bought. Of any number at once one buys, and the others come back later.

        Raises NotYet, PaymentsUnavailable: then it is to be asked again, and goes on where it was.
        """
        try:
            begun = await self._begin(id)
        except (AccountMissing, WorkspaceMissing):
            return False
        if begun is None:
            return False
        account, workspace, top_up, new = begun
        low = await self._is_low(account)
        if new and not low:
            await self._save(top_up.fail(NOT_NEEDED, self.clock.now()))
            return False
        try:
            customer = await self.checkouts.customer(workspace)
            invoice = await self.payments.buy(top_up, customer, begin=low)
        except (PaymentDeclined, PaymentsRefused, PlanNotSold) as error:
            await self._failed(workspace, top_up, error)
            return False
        if invoice is None:  # somebody else has seen to it while Stripe was away
            await self._save(top_up.fail(NOT_NEEDED, self.clock.now()))
            return False
        await self.invoice(invoice)
        await self._save(top_up.pay(invoice, self.clock.now()))
        return True

    async def _begin(self, id: AccountId) -> tuple[Account, Workspace, TopUp, bool] | None:
        """The one to buy, this process's alone for a while; and whether it is a new one."""
        async with self.uow() as tx:
            account = await tx.accounts.get(id)
            wanted = await tx.accounts.auto_top_up(id)
        if wanted is None:
            return None
        try:
            version = await pack_of(self.catalog, account.plan.product, wanted.pack)
        except PackMissing:  # it is sold no more
            return None
        key = Sold(SoldKind.PACK, account.plan.product, wanted.pack, version).lookup_key
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(account.workspace)
            await tx.accounts.hold(account.workspace)
            now = self.clock.now()
            recent = await tx.top_ups.since(id, now - MONTH)
            pending = next((each for each in recent if each.state is TopUpState.PENDING), None)
            if pending is not None:
                if now - pending.created_at < AT_WORK:
                    raise NotYet
                return account, workspace, pending, False
            declined = [
                each for each in recent if each.state is TopUpState.FAILED and each.reason != NOT_NEEDED
            ]
            paid = [each for each in recent if each.state is TopUpState.PAID]
            if len(paid) >= wanted.monthly or any(_late(each, now - AFTER_FAILURE) for each in declined):
                return None
            top_up = TopUp(id=self.new_id(), account=id, lookup_key=key, created_at=now)
            await tx.top_ups.save(top_up)
        return account, workspace, top_up, True

    async def _is_low(self, account: Account) -> bool:
        mark = account.top_up_below
        return mark is not None and (await self.usage.balance(account.id)).available < mark

    async def _save(self, top_up: TopUp) -> None:
        async with self.uow() as tx:
            await tx.top_ups.save(top_up)

    async def _failed(self, workspace: Workspace, top_up: TopUp, error: DomainError) -> None:
        reason = error.reason if isinstance(error, (PaymentDeclined, PaymentsRefused)) else error.code
        async with self.uow() as tx:
            await tx.top_ups.save(top_up.fail(reason, self.clock.now()))
            await self.tell(tx, workspace, "top_up_failed", {})


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUpLow:
    """The job: who ran low by an expiry, or whose purchase was cut off, is seen to as well."""

    buy: BuyAutomatically
    uow: UnitOfWork[BillingTx]

    async def __call__(self) -> Mapping[str, int]:
        """Raises PaymentsUnavailable."""
        async with self.uow() as tx:
            watched = await tx.accounts.with_auto_top_up()
        bought = 0
        for each in watched:
            try:
                bought += await self._one(each)
            except NotYet:
                continue
        return {"watched": len(watched), "bought": bought}

    async def _one(self, id: AccountId) -> bool:
        async with self.uow() as tx:
            account = await tx.accounts.get(id)
        mark = account.top_up_below
        if mark is None or (await self.buy.usage.balance(id)).available >= mark:
            return False
        return await self.buy(id)


async def pack_of(catalog: Catalog, product: str, key: str) -> int:
    """The version of the product that has it. Raises PackMissing."""
    for each in await catalog.products():
        if each.key == product and key in each.packs:
            return each.version
    raise PackMissing(product, key)


def _late(top_up: TopUp, since: datetime) -> bool:
    return top_up.ended_at is not None and top_up.ended_at > since
