"""What is kept of Stripe's objects, without a database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from application.billing.ports import (
    Checkouts,
    Customers,
    Happened,
    Invoices,
    Notices,
    Quotes,
    StripeEvents,
    Subscriptions,
    TopUps,
)
from domain.billing.change import Quote
from domain.billing.checkout import Checkout, CheckoutState, Purpose
from domain.billing.drift import Granted
from domain.billing.invoice import Invoice
from domain.billing.subscription import Status, Subscription
from domain.billing.top_up import TopUp, TopUpState
from domain.ids import AccountId, PlanRef, WorkspaceId
from tests.fakes.clock import NOON


def subscribed(account: AccountId, **changes: Any) -> Subscription:  # noqa: ANN401 - any of its fields
    """To a team plan, for a month, with three more seats."""
    usual = Subscription(
        id=f"sub_{uuid4().hex}",
        account=account,
        customer="cus_1",
        status=Status.ACTIVE,
        plan=PlanRef("api", "team", 1),
        seats=3,
        created_at=NOON,
        period_start=NOON,
        period_end=NOON + timedelta(days=30),
    )
    return replace(usual, **changes)


@dataclass
class TillRows:
    """``lots`` are the ledger's; a test says what they are."""

    customers: dict[WorkspaceId, tuple[str, datetime | None]] = field(default_factory=dict)
    subscriptions: dict[str, tuple[Subscription, int]] = field(default_factory=dict)
    invoices: dict[str, Invoice] = field(default_factory=dict)
    events: dict[str, datetime] = field(default_factory=dict)
    swept: datetime | None = None
    checkouts: dict[UUID, Checkout] = field(default_factory=dict)
    quotes: dict[UUID, Quote] = field(default_factory=dict)
    notices: set[tuple[AccountId, str, str]] = field(default_factory=set)
    top_ups: dict[UUID, TopUp] = field(default_factory=dict)
    lots: dict[AccountId, dict[str, Granted]] = field(default_factory=dict)
    fences: dict[str, int] = field(default_factory=dict)

    def copy(self) -> "TillRows":
        return TillRows(
            customers=dict(self.customers),
            subscriptions=dict(self.subscriptions),
            invoices=dict(self.invoices),
            events=dict(self.events),
            swept=self.swept,
            checkouts=dict(self.checkouts),
            quotes=dict(self.quotes),
            notices=set(self.notices),
            top_ups=dict(self.top_ups),
            lots=dict(self.lots),
            fences=dict(self.fences),
        )


@dataclass
class FakeCustomers(Customers):
    till: TillRows

    async def of(self, workspace: WorkspaceId) -> str | None:
        return self.till.customers.get(workspace, (None, None))[0]

    async def add(self, workspace: WorkspaceId, id: str, at: datetime) -> str:
        return self.till.customers.setdefault(workspace, (id, None))[0]

    async def close(self, workspace: WorkspaceId, at: datetime) -> None:
        if workspace in self.till.customers:
            self.till.customers[workspace] = (self.till.customers[workspace][0], at)

    async def page(self, *, after: WorkspaceId | None, limit: int) -> Sequence[tuple[WorkspaceId, str]]:
        found = [
            (workspace, id)
            for workspace, (id, closed) in sorted(self.till.customers.items())
            if closed is None and (after is None or workspace > after)
        ]
        return found[:limit]


@dataclass
class FakeSubscriptions(Subscriptions):
    till: TillRows

    async def fence(self, id: str) -> int:
        return self.till.subscriptions[id][1] if id in self.till.subscriptions else 0

    async def of(self, account: AccountId) -> Sequence[Subscription]:
        found = [each for each, _ in self.till.subscriptions.values() if each.account == account]
        return sorted(found, key=lambda each: (each.created_at, each.id))

    async def save(self, subscription: Subscription) -> None:
        fence = await self.fence(subscription.id)
        self.till.subscriptions[subscription.id] = (subscription, fence + 1)

    async def claim(self, account: AccountId, id: str) -> int:
        one, fence = self.till.subscriptions[id]
        self.till.subscriptions[id] = (one, fence + 1)
        return fence + 1


@dataclass
class FakeInvoices(Invoices):
    till: TillRows

    async def fence(self, id: str) -> int:
        return self.till.fences.get(id, 0)

    async def find(self, account: AccountId, id: str) -> Invoice | None:
        found = self.till.invoices.get(id)
        return found if found is not None and found.account == account else None

    async def save(self, invoice: Invoice) -> None:
        self.till.invoices[invoice.id] = replace(invoice, lines=())
        self.till.fences[invoice.id] = await self.fence(invoice.id) + 1

    async def of(self, account: AccountId) -> Sequence[Invoice]:
        return [each for each in self.till.invoices.values() if each.account == account]

    async def lots(self, account: AccountId) -> Mapping[str, Granted]:
        return self.till.lots.get(account, {})

    async def page(
        self, accounts: Sequence[AccountId], *, after: str | None, limit: int
    ) -> Sequence[Invoice]:
        found = sorted(
            (each for each in self.till.invoices.values() if each.account in accounts),
            key=lambda each: (each.created_at, each.id),
            reverse=True,
        )
        if after is not None:
            ids = [each.id for each in found]
            found = found[ids.index(after) + 1 :] if after in ids else []
        return found[:limit]


@dataclass
class FakeStripeEvents(StripeEvents):
    till: TillRows

    async def add(self, events: Sequence[Happened], now: datetime) -> Sequence[Happened]:
        new = {each.event: each for each in events if each.event not in self.till.events}
        self.till.events |= {id: each.at for id, each in new.items()}
        return list(new.values())

    async def swept(self) -> datetime | None:
        return self.till.swept

    async def sweep(self, until: datetime) -> None:
        self.till.swept = until if self.till.swept is None else max(self.till.swept, until)


@dataclass
class FakeCheckouts(Checkouts):
    till: TillRows

    async def open(self, account: AccountId, purpose: Purpose) -> Checkout | None:
        found = [each for each in await self.all_open(account) if each.purpose is purpose]
        return found[-1] if found else None

    async def all_open(self, account: AccountId) -> Sequence[Checkout]:
        found = [
            each
            for each in self.till.checkouts.values()
            if each.account == account and each.state is CheckoutState.OPEN
        ]
        return sorted(found, key=lambda each: each.created_at)

    async def get(self, account: AccountId, id: UUID) -> Checkout | None:
        found = self.till.checkouts.get(id)
        return found if found is not None and found.account == account else None

    async def by_session(self, session: str) -> Checkout | None:
        return next((each for each in self.till.checkouts.values() if each.session == session), None)

    async def save(self, checkout: Checkout) -> None:
        kept = self.till.checkouts.get(checkout.id, checkout)
        self.till.checkouts[checkout.id] = replace(
            kept, session=checkout.session, url=checkout.url, state=checkout.state
        )


@dataclass
class FakeQuotes(Quotes):
    till: TillRows

    async def add(self, quote: Quote) -> None:
        self.till.quotes[quote.id] = quote

    async def get(self, account: AccountId, id: UUID) -> Quote | None:
        found = self.till.quotes.get(id)
        return found if found is not None and found.account == account else None

    async def claim(self, quote: Quote) -> None:
        self.till.quotes[quote.id] = quote


@dataclass
class FakeNotices(Notices):
    till: TillRows

    async def first(self, account: AccountId, kind: str, about: str, at: datetime) -> bool:
        new = (account, kind, about) not in self.till.notices
        self.till.notices.add((account, kind, about))
        return new


@dataclass
class FakeTopUps(TopUps):
    till: TillRows

    async def since(self, account: AccountId, at: datetime) -> Sequence[TopUp]:
        found = [
            each
            for each in self.till.top_ups.values()
            if each.account == account and (each.created_at > at or each.state is TopUpState.PENDING)
        ]
        return sorted(found, key=lambda each: each.created_at)

    async def save(self, top_up: TopUp) -> None:
        self.till.top_ups[top_up.id] = top_up
