"""Another plan, other seats, the end, or not the end: previewed, and made exactly so."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias
from uuid import UUID

from application.actor import Member
from application.audit.record import Record
from application.billing.ports import BillingTx, Payments
from application.billing.subscribe import seats_beyond
from application.billing.sync import SyncInvoice, SyncSubscription
from application.catalog.ports import Catalog
from application.ports import Clock, NewId, UnitOfWork
from application.usage.ports import UsageReader
from domain.billing.change import Monthly, Quote, Timing, Wanted, timing_of
from domain.billing.errors import InvoiceOpen, NotSubscribed, PaymentDeclined, PlanNotSold, QuoteOver
from domain.billing.invoice import Line
from domain.billing.standing import counting, living
from domain.billing.subscription import Status, Subscription
from domain.ids import PlanRef, WorkspaceId, account_text
from domain.usage.account import Account

Choose: TypeAlias = Callable[[Sequence[Subscription]], Subscription | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Previewed:
    """``lines`` are what is asked for at once, ``available`` the microcredits that there are before.

    ``next_at`` is when the next period is asked for; None where there is none.
    """

    quote: Quote
    lines: Sequence[Line]
    next_at: datetime | None
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    account: Account
    subscription: Subscription
    fence: int
    members: int


@dataclass(frozen=True, slots=True)
class FindSubscription:
    uow: UnitOfWork[BillingTx]

    async def __call__(self, workspace: WorkspaceId, product: str, *, which: Choose = counting) -> _Found:
        """The one that the account's plan comes from, unless ``which`` says another. Raises NotSubscribed."""
        async with self.uow() as tx:
            for account in await tx.accounts.of(workspace):
                if account.plan.product != product:
                    continue
                current = which(await tx.subscriptions.of(account.id))
                if current is not None:
                    return _Found(
                        account=account,
                        subscription=current,
                        fence=await tx.subscriptions.fence(current.id),
                        members=await tx.members.enabled(workspace),
                    )
        raise NotSubscribed(product)


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewChange:
    find: FindSubscription
    payments: Payments
    catalog: Catalog
    invoice: SyncInvoice
    usage: UsageReader
    uow: UnitOfWork[BillingTx]
    clock: Clock
    new_id: NewId

    async def __call__(
        self, actor: Member, product: str, *, plan: str | None, seats: int | None
    ) -> Previewed:
        """``seats`` in all. What is None stays as it is; a new plan is its newest version.

        Raises NotSubscribed, PlanMissing, PlanNotSold, SeatsRefused, InvoiceOpen, and what ``Payments`` does.
        """
        found = await self.find(actor.workspace, product)
        has = found.subscription
        if has.owing:
            raise InvoiceOpen(product)
        before = await self.catalog.plan(has.plan)
        after = before if plan in {None, before.key} else await self.catalog.newest_plan(product, plan or "")
        if after.free:
            raise PlanNotSold(f"{product}/{after.key}")
        asked = before.seats + has.seats if seats is None and after == before else seats
        wanted = Wanted(
            PlanRef(after.product, after.key, after.version), seats_beyond(after, asked, found.members)
        )
        monthly = after.monthly(wanted.seats)
        trialing = has.status is Status.TRIALING
        timing = timing_of(
            Monthly(before.monthly(has.seats), before.allocation),
            Monthly(monthly, after.allocation),
            trialing=trialing,
        )
        now, due, gained, lines = self.clock.now(), 0, 0, tuple[Line, ...]()
        if timing is Timing.NOW and not trialing and wanted != Wanted(has.plan, has.seats):
            told = await self.payments.preview(has, wanted, now)
            due, lines = told.total, told.lines
            gained = sum(each.amount for each in await self.invoice.dues(told))
        quote = Quote.new(
            self.new_id(),
            found.account.id,
            has.id,
            wanted,
            timing=timing,
            now=now,
            due=due,
            monthly=monthly,
            currency=after.currency,
            credits=gained,
            fence=found.fence,
            period_end=has.period_end,
        )
        async with self.uow() as tx:
            await tx.quotes.add(quote)
        return Previewed(
            quote=quote,
            lines=lines,
            next_at=has.period_end if has.renews else None,
            available=(await self.usage.balance(found.account.id)).available,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeChange:
    """Exactly what was previewed, or nothing."""

    find: FindSubscription
    payments: Payments
    catalog: Catalog
    subscription: SyncSubscription
    invoice: SyncInvoice
    uow: UnitOfWork[BillingTx]
    clock: Clock
    record: Record
    operation: ClassVar[str] = "subscription.changed"

    async def __call__(self, actor: Member, product: str, id: UUID) -> Subscription:
        """A repeat changes nothing more, and goes on where it was cut off.

        Raises NotSubscribed, QuoteOver, SeatsRefused, InvoiceOpen, and what ``Payments`` does.
        """
        found = await self.find(actor.workspace, product)
        quote, has = await self._claim(actor, found, id)
        if quote is None:
            return has
        if quote.timing is Timing.NOW:
            await self.invoice(await self._pay(actor, has, quote))
        else:
            await self.payments.schedule(has, quote)
        await self.subscription(has.id)
        return (await self.find(actor.workspace, product)).subscription

    async def _pay(self, actor: Member, has: Subscription, quote: Quote) -> str:
        """The invoice. Once it was declined the quote is over: Stripe would repeat that for another card."""
        try:
            return await self.payments.change(has, quote)
        except PaymentDeclined:
            async with self.uow() as tx:
                await tx.accounts.hold(actor.workspace)
                await tx.subscriptions.claim(quote.account, has.id)
            raise

    async def _claim(self, actor: Member, found: _Found, id: UUID) -> tuple[Quote | None, Subscription]:
        """The quote to be made, and from now on no other for the same subscription; None: it was made."""
        account = found.account
        async with self.uow() as tx:
            await tx.accounts.hold(account.workspace)
            quote = await tx.quotes.get(account.id, id)
            known = {each.id: each for each in await tx.subscriptions.of(account.id)}
            if quote is None or quote.subscription != found.subscription.id:
                raise QuoteOver
            has, fence = known[quote.subscription], await tx.subscriptions.fence(quote.subscription)
            if quote.begun(fence):
                return quote, has
            if quote.claimed is not None and quote.wanted in (Wanted(has.plan, has.seats), _next(has)):
                return None, has
            if not quote.good(self.clock.now(), fence):
                raise QuoteOver
            if has.owing:
                raise InvoiceOpen(account.plan.product)
            plan = await self.catalog.plan(quote.wanted.plan)
            seats_beyond(plan, plan.seats + quote.wanted.seats, await tx.members.enabled(account.workspace))
            claimed = quote.claim(await tx.subscriptions.claim(account.id, has.id))
            await tx.quotes.claim(claimed)
            facts = {"plan": str(quote.wanted.plan), "seats": quote.wanted.seats, "when": quote.timing}
            target = account_text(account.id)
            await self.record(tx, actor, actor.workspace, self.operation, target, after=facts)
        return claimed, has


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSubscription:
    find: FindSubscription
    payments: Payments
    subscription: SyncSubscription
    uow: UnitOfWork[BillingTx]
    record: Record

    async def cancel(self, actor: Member, product: str, *, now: bool) -> Subscription:
        """At the end of what is paid for, or now. Credits that were paid for stay until they run out.

        One that is not paid for ends now. Raises NotSubscribed, and what ``Payments`` does.
        """
        return await self._set(actor, product, "subscription.cancelled", now=now, ends=True)

    async def resume(self, actor: Member, product: str) -> Subscription:
        """It goes on after all; a paused one with a new period. Raises as ``cancel`` does."""
        return await self._set(actor, product, "subscription.resumed", now=False, ends=False)

    async def _set(self, actor: Member, product: str, action: str, *, now: bool, ends: bool) -> Subscription:
        found = await self.find(actor.workspace, product, which=living)
        account, id = found.account, found.subscription.id
        has = await self.payments.subscription(id)  # somebody may have done it on a page of Stripe's
        if has is None:
            raise NotSubscribed(product)
        now = now or (ends and not has.entitled)
        if _is_so(has, now=now, ends=ends):
            await self.subscription(id)
        else:
            async with self.uow() as tx:
                await tx.accounts.hold(account.workspace)
                await tx.subscriptions.claim(account.id, id)
                target = account_text(account.id)
                await self.record(tx, actor, actor.workspace, action, target, after={"now": now})
            if now:
                await self.payments.cancel(has)
            elif not ends and has.status is Status.PAUSED:
                await self.payments.resume(has)
            else:
                await self.payments.end_at_period_end(has, ends=ends)
            await self.subscription(id)
        async with self.uow() as tx:
            known = {each.id: each for each in await tx.subscriptions.of(account.id)}
        return known[id]


def _is_so(has: Subscription, *, now: bool, ends: bool) -> bool:
    """Whether nothing is to be done."""
    if has.over:
        return True
    if now or has.schedule is not None or has.status is Status.PAUSED:
        return False
    return ends == (has.cancel_at is not None)


def _next(subscription: Subscription) -> Wanted | None:
    if subscription.next_plan is None:
        return None
    return Wanted(subscription.next_plan, subscription.next_seats or 0)
