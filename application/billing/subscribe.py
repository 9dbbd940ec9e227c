"""Pages at Stripe on which a workspace subscribes, or buys credits."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from application.actor import Member
from application.audit.record import Record
from application.billing.ports import BillingTx, Payments, Session
from application.billing.told import ActOnStripeEvent
from application.catalog.ports import Catalog
from application.ports import Clock, NewId, UnitOfWork
from domain.billing.checkout import Checkout, CheckoutState, Purpose
from domain.billing.errors import (
    AlreadySubscribed,
    PackMissing,
    PaymentsRefused,
    PlanNotSold,
    SeatsRefused,
)
from domain.billing.sold import Sold, SoldKind
from domain.catalog.bounds import SEATS
from domain.catalog.plan import Plan
from domain.events import NotYet
from domain.ids import AccountId, PlanRef, account_text
from domain.usage.account import Account
from domain.workspaces.workspace import Workspace

TRIES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCheckout:
    """One page for one wish: whoever asks twice gets the same, until it is paid or over.

    Who wants something else than before gets a new page, and the old one is closed first.
    """

    payments: Payments
    uow: UnitOfWork[BillingTx]
    act: ActOnStripeEvent
    clock: Clock

    async def customer(self, workspace: Workspace) -> str:
        """Stripe's id of who pays for ``workspace``."""
        async with self.uow() as tx:
            known = await tx.customers.of(workspace.id)
            addresses = await tx.members.admins(workspace.id)
        if known is not None:
            return known
        made = await self.payments.open_customer(
            workspace.id, workspace.name, addresses[0] if addresses else None
        )
        async with self.uow() as tx:
            return await tx.customers.add(workspace.id, made, self.clock.now())

    async def page(self, checkout: Checkout, customer: str) -> Session | None:
        """None where it is over by now; what came of it is then seen to."""
        if checkout.session is None:
            session = await self.payments.open_session(checkout, customer)
            async with self.uow() as tx:
                await tx.checkouts.save(checkout.opened(session.id, session.url))
        else:
            found = await self.payments.session(checkout.session)
            if found is None:
                await self._over(checkout, CheckoutState.EXPIRED)
                return None
            session = found
        if session.state is CheckoutState.OPEN:
            return session
        await self.act.session(session.id)
        return None

    async def close(self, checkout: Checkout, customer: str) -> None:
        """So that nobody pays on it any more; or, where somebody has, sees to what came of it."""
        try:
            session = await self.page(checkout, customer)
        except (PlanNotSold, PaymentsRefused):  # nobody ever saw it
            await self._over(checkout, CheckoutState.EXPIRED)
            return
        if session is not None:
            await self.payments.expire_session(session.id)
            await self.act.session(session.id)

    async def _over(self, checkout: Checkout, state: CheckoutState) -> None:
        async with self.uow() as tx:
            await tx.checkouts.save(checkout.become(state))


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    catalog: Catalog
    uow: UnitOfWork[BillingTx]
    checkouts: OpenCheckout
    clock: Clock
    new_id: NewId
    record: Record

    async def __call__(self, actor: Member, product: str, key: str, *, seats: int | None) -> Session:
        """``seats`` in all; unless said, those of the plan.

        Raises PlanMissing, PlanNotSold, SeatsRefused, AlreadySubscribed, and what ``Payments`` does.
        """
        plan = await self.catalog.newest_plan(product, key)
        if plan.free:
            raise PlanNotSold(f"{product}/{key}")
        for _ in range(TRIES):
            async with self.uow() as tx:
                workspace = await tx.workspaces.get(actor.workspace)
            customer = await self.checkouts.customer(workspace)
            checkout, old = await self._wish(actor, plan, await free_of(self.catalog, plan), seats)
            if old is not None:
                await self.checkouts.close(old, customer)
                continue
            session = await self.checkouts.page(checkout, customer)
            if session is not None:
                return session
        raise NotYet

    async def _wish(
        self, actor: Member, plan: Plan, until_paid: Plan, seats: int | None
    ) -> tuple[Checkout, Checkout | None]:
        """What is open for this wish; and what is open for another one, which has to be closed first.

        So is one whose time is over: perhaps it was paid at the last moment, and nobody has told yet.
        """
        ref = ref_of(plan)
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(actor.workspace)
            account = await account_for(tx, workspace, ref_of(until_paid), self.new_id, self.clock)
            extra = seats_beyond(plan, seats, await tx.members.enabled(workspace.id))
            known = await tx.subscriptions.of(account.id)
            if any(not each.over for each in known):
                raise AlreadySubscribed(plan.product)
            wanted = {Sold.plan(ref).lookup_key: 1}
            if extra:
                wanted[Sold.seat(ref).lookup_key] = extra
            now = self.clock.now()
            open_ = await tx.checkouts.open(account.id, Purpose.SUBSCRIBE)
            if open_ is not None and open_.never_shown(now):
                await tx.checkouts.save(open_.become(CheckoutState.EXPIRED))
                open_ = None
            trial = 0 if known else plan.trial_days
            if open_ is None:
                open_ = Checkout.new(
                    self.new_id(), account.id, Purpose.SUBSCRIBE, wanted, now, trial_days=trial
                )
                await self._tell(tx, actor, account.id, wanted)
                await tx.checkouts.save(open_)
            same = open_.wanted == wanted and open_.trial_days == trial and open_.good(now)
        return open_, None if same else open_

    async def _tell(
        self, tx: BillingTx, actor: Member, account: AccountId, wanted: Mapping[str, int]
    ) -> None:
        await self.record(
            tx, actor, actor.workspace, "checkout.opened", account_text(account), after=dict(wanted)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class BuyCredits:
    catalog: Catalog
    uow: UnitOfWork[BillingTx]
    checkouts: OpenCheckout
    clock: Clock
    new_id: NewId
    record: Record

    async def __call__(self, actor: Member, product: str, key: str, *, quantity: int) -> Session:
        """Raises PackMissing, and what ``Payments`` does."""
        products = {each.key: each for each in await self.catalog.products()}
        found = products.get(product)
        if found is None or key not in found.packs:
            raise PackMissing(product, key)
        wanted = {Sold(SoldKind.PACK, product, key, found.version).lookup_key: quantity}
        for _ in range(TRIES):
            async with self.uow() as tx:
                workspace = await tx.workspaces.get(actor.workspace)
            customer = await self.checkouts.customer(workspace)
            checkout = await self._wish(actor, product, wanted)
            session = await self.checkouts.page(checkout, customer)
            if session is not None:
                return session
        raise NotYet

    async def _wish(self, actor: Member, product: str, wanted: Mapping[str, int]) -> Checkout:
        first = (await self.catalog.plans(product))[0]
        until_paid = await free_of(self.catalog, first)
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(actor.workspace)
            account = await account_for(tx, workspace, ref_of(until_paid), self.new_id, self.clock)
            now = self.clock.now()
            for each in await tx.checkouts.all_open(account.id):
                if each.purpose is Purpose.TOP_UP and each.wanted == wanted and each.good(now):
                    return each
            checkout = Checkout.new(self.new_id(), account.id, Purpose.TOP_UP, wanted, now)
            await self.record(
                tx, actor, actor.workspace, "checkout.opened", account_text(account.id), after=dict(wanted)
            )
            await tx.checkouts.save(checkout)
        return checkout


def ref_of(plan: Plan) -> PlanRef:
    return PlanRef(plan.product, plan.key, plan.version)


async def free_of(catalog: Catalog, plan: Plan) -> Plan:
    """What an account of the plan's product has that nobody pays for; the plan itself where none is free."""
    return next((each for each in await catalog.plans(plan.product) if each.free), plan)


async def account_for(
    tx: BillingTx, workspace: Workspace, plan: PlanRef, new_id: NewId, clock: Clock
) -> Account:
    """The workspace's of the plan's product; a new one has no credits. Its workspace is locked."""
    for account in await tx.accounts.hold(workspace.id):
        if account.plan.product == plan.product:
            return account
    account = Account(
        id=AccountId(new_id()), workspace=workspace.id, plan=plan, frozen=False, anchor=clock.now()
    )
    await tx.accounts.add(account)
    return account


def seats_beyond(plan: Plan, seats: int | None, taken: int) -> int:
    """How many to buy beyond the plan's own. Raises SeatsRefused."""
    most = plan.seats if plan.seat_price is None else SEATS
    wanted = max(plan.seats, taken) if seats is None else seats
    if not max(taken, 1) <= wanted <= most:
        raise SeatsRefused(max(taken, 1), most)
    return max(0, wanted - plan.seats)
