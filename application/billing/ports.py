from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from application.audit.ports import AuditTx
from application.notifications.ports import MailTx
from application.workspaces.ports import Members, WorkspaceAccounts, Workspaces
from domain.billing.change import Quote, Wanted
from domain.billing.checkout import Checkout, CheckoutState, Purpose
from domain.billing.drift import Granted
from domain.billing.invoice import Invoice
from domain.billing.sold import Offer, PriceThere
from domain.billing.subscription import Subscription
from domain.billing.top_up import AutoTopUp, TopUp
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.account import Account


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A checkout as Stripe has it. ``url`` is None once it is over."""

    id: str
    state: CheckoutState
    url: str | None
    subscription: str | None = None
    invoice: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """An event of Stripe's, as far as it is looked at."""

    event: str
    type: str
    about: str
    payment: str | None
    at: datetime


class Payments(Protocol):
    """Stripe. Never asked inside a transaction; what is written under the same key is written once.

    Whatever it has that is not of CueBX is as if it were not there. Raises PaymentsUnavailable, where what
    was asked may have been done, PaymentDeclined, and PaymentsRefused.
    """

    async def subscription(self, id: str) -> Subscription | None: ...

    async def invoice(self, id: str) -> Invoice | None: ...

    async def invoice_paid_by(self, payment: str) -> str | None:
        """The invoice that a payment intent paid."""

    async def session(self, id: str) -> Session | None: ...

    async def subscriptions_of(self, customer: str) -> Sequence[Subscription]:
        """All that there ever were, the oldest first."""

    async def invoices_of(self, customer: str) -> Sequence[Invoice]:
        """All but drafts, the oldest first."""

    def events(self, since: datetime) -> AsyncIterator[Happened]:
        """The newest first. Stripe keeps them for a month."""

    async def open_customer(self, workspace: WorkspaceId, name: str, email: str | None) -> str:
        """One for each workspace, however often it is asked for within a day."""

    async def close_customer(self, customer: str) -> None:
        """Deletes it with its cards. What it subscribes to ends at once; its invoices stay."""

    async def open_session(self, checkout: Checkout, customer: str) -> Session:
        """The same for the same checkout."""

    async def expire_session(self, id: str) -> Session | None:
        """None for one that is not there."""

    async def prices(self) -> Sequence[PriceThere]: ...

    async def add_price(self, offer: Offer) -> None: ...

    async def restore_price(self, price: PriceThere) -> None:
        """It was archived, and can be bought again."""

    async def buy(self, top_up: TopUp, customer: str, *, begin: bool) -> str | None:
        """With the customer's card, or not at all. The answer is the invoice, which is paid.

        Unless it is to ``begin``, only what was begun before is brought to its end; None where nothing was.
        """

    async def preview(self, has: Subscription, wanted: Wanted, at: datetime) -> Invoice:
        """What would be asked for at once if it became that at that instant."""

    async def change(self, has: Subscription, quote: Quote) -> str:
        """Paid at once, or not made. The answer is the invoice."""

    async def schedule(self, has: Subscription, quote: Quote) -> None:
        """When the period ends."""

    async def cancel(self, has: Subscription) -> None:
        """Now."""

    async def resume(self, has: Subscription) -> None:
        """A paused one: a new period begins, and is asked for. While that is not paid it stays paused."""

    async def end_at_period_end(self, has: Subscription, *, ends: bool) -> None:
        """Or not, after all. What was planned for the next period is planned no more."""

    async def open_portal(self, customer: str) -> str:
        """The address of a page that is for this customer, for some minutes."""


class Customers(Protocol):
    async def of(self, workspace: WorkspaceId) -> str | None: ...

    async def add(self, workspace: WorkspaceId, id: str, at: datetime) -> str:
        """The first one stays, and is the answer."""

    async def close(self, workspace: WorkspaceId, at: datetime) -> None:
        """It is there no more; its id stays known."""

    async def page(self, *, after: WorkspaceId | None, limit: int) -> Sequence[tuple[WorkspaceId, str]]:
        """By workspace; those that are not closed."""


class Subscriptions(Protocol):
    async def fence(self, id: str) -> int:
        """Goes up whenever it is saved; 0 before the first time."""

    async def of(self, account: AccountId) -> Sequence[Subscription]:
        """The oldest first."""

    async def save(self, subscription: Subscription) -> None: ...

    async def claim(self, account: AccountId, id: str) -> int:
        """The fence goes up, and is the answer: whoever saw it before comes too late. Hold the account."""


class Invoices(Protocol):
    async def fence(self, id: str) -> int:
        """Goes up whenever it is saved; 0 before the first time."""

    async def find(self, account: AccountId, id: str) -> Invoice | None:
        """Without its lines."""

    async def save(self, invoice: Invoice) -> None:
        """Without its lines, which stay at Stripe."""

    async def of(self, account: AccountId) -> Sequence[Invoice]:
        """All, without their lines."""

    async def lots(self, account: AccountId) -> Mapping[str, Granted]:
        """What invoices paid for, by the lots' references."""

    async def page(
        self, accounts: Sequence[AccountId], *, after: str | None, limit: int
    ) -> Sequence[Invoice]:
        """The newest first, without their lines. ``after`` is the id of the last one seen."""


class StripeEvents(Protocol):
    async def add(self, events: Sequence[Happened], now: datetime) -> Sequence[Happened]:
        """Those that were not there."""

    async def swept(self) -> datetime | None:
        """Until when Stripe was asked for what never arrived; None before the first time."""

    async def sweep(self, until: datetime) -> None: ...


class Checkouts(Protocol):
    async def open(self, account: AccountId, purpose: Purpose) -> Checkout | None:
        """The newest that is open."""

    async def all_open(self, account: AccountId) -> Sequence[Checkout]: ...

    async def get(self, account: AccountId, id: UUID) -> Checkout | None: ...

    async def by_session(self, session: str) -> Checkout | None:
        """Across all tenants: only Stripe tells of one."""

    async def save(self, checkout: Checkout) -> None: ...


class TopUps(Protocol):
    async def since(self, account: AccountId, at: datetime) -> Sequence[TopUp]:
        """Those that were begun later, and what is pending from before; the oldest first."""

    async def save(self, top_up: TopUp) -> None: ...


class Notices(Protocol):
    async def first(self, account: AccountId, kind: str, about: str, at: datetime) -> bool:
        """Whether nobody was told of this before; from now on they were."""


class Quotes(Protocol):
    async def add(self, quote: Quote) -> None: ...

    async def get(self, account: AccountId, id: UUID) -> Quote | None: ...

    async def claim(self, quote: Quote) -> None:
        """Keeps since which fence it is made."""


class BillingAccounts(WorkspaceAccounts, Protocol):
    async def get(self, id: AccountId) -> Account:
        """Raises AccountMissing."""

    async def settle(self, id: AccountId, plan: PlanRef, *, freezes_at: datetime | None) -> None:
        """What it may spend from now on. Call ``hold`` first."""

    async def freezes_at(self, id: AccountId) -> datetime | None: ...

    async def auto_top_up(self, id: AccountId) -> AutoTopUp | None: ...

    async def set_auto_top_up(self, id: AccountId, wanted: AutoTopUp | None) -> None:
        """Call ``hold`` first."""

    async def freezing(self, by: datetime) -> Sequence[tuple[AccountId, datetime]]:
        """Those that may spend nothing by then, and from when on, the earliest first."""

    async def with_auto_top_up(self) -> Sequence[AccountId]: ...


class BillingTx(AuditTx, MailTx, Protocol):
    @property
    def accounts(self) -> BillingAccounts: ...

    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def members(self) -> Members: ...

    @property
    def customers(self) -> Customers: ...

    @property
    def subscriptions(self) -> Subscriptions: ...

    @property
    def invoices(self) -> Invoices: ...

    @property
    def stripe_events(self) -> StripeEvents: ...

    @property
    def checkouts(self) -> Checkouts: ...

    @property
    def quotes(self) -> Quotes: ...

    @property
    def notices(self) -> Notices: ...

    @property
    def top_ups(self) -> TopUps: ...
