"""A workspace subscribes, buys credits, and sees what it was asked to pay."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from application.actor import Member
from application.billing.ports import Session
from application.billing.queries import LookAtBilling, OpenPortal, Subscribed
from application.billing.subscribe import BuyCredits, Subscribe
from domain.billing.errors import (
    AlreadySubscribed,
    BillingOff,
    PackMissing,
    PaymentDeclined,
    PaymentsRefused,
    PaymentsUnavailable,
    PlanNotSold,
    SeatsRefused,
)
from domain.catalog.bounds import SEATS
from domain.catalog.errors import PlanMissing
from domain.credits import format_hundredths
from domain.events import NotYet
from domain.ids import account_text
from entrypoints.http.fields import Key
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.plans import TAG
from entrypoints.http.routes import reading
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import WorkspacePath

OF_PAYMENTS = (BillingOff, PaymentsUnavailable, PaymentsRefused, PaymentDeclined, NotYet)


class SubscribeRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``seats`` in all, the plan's own included; without, as many as the plan has or members need."""

    product: Key
    plan: Key
    seats: Annotated[int, Meta(ge=1, le=SEATS)] | None = None


class TopUpRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    product: Key
    pack: Key
    quantity: Annotated[int, Meta(ge=1, le=100)] = 1


class PageAnswer(Struct, frozen=True, kw_only=True):
    """Send the person who pays to ``url``."""

    url: str


class PlanNamed(Struct, frozen=True, kw_only=True):
    """``extra_seats`` are those beyond the plan's own."""

    product: str
    plan: str
    version: int
    extra_seats: int


class SubscriptionItem(Struct, frozen=True, kw_only=True):
    """``plan`` is what the account has now; all that follows is null without a subscription.

    ``status`` is Stripe's. ``next_plan`` is what it becomes when the period ends; at ``cancel_at`` it ends.
    While it is ``frozen`` nothing is spent, as an invoice is open.
    """

    account_id: str
    product: str
    plan: str
    plan_version: int
    status: str | None
    extra_seats: int
    period_start: datetime | None
    period_end: datetime | None
    trial_end: datetime | None
    cancel_at: datetime | None
    next_plan: PlanNamed | None
    frozen: bool

    @classmethod
    def of(cls, shown: Subscribed) -> "SubscriptionItem":
        account, has = shown.account, shown.subscription
        follow = None if has is None else has.next_plan
        return cls(
            account_id=account_text(account.id),
            product=account.plan.product,
            plan=account.plan.plan,
            plan_version=account.plan.version,
            status=None if has is None else has.status,
            extra_seats=0 if has is None else has.seats,
            period_start=None if has is None else has.period_start,
            period_end=None if has is None else has.period_end,
            trial_end=None if has is None else has.trial_end,
            cancel_at=None if has is None else has.cancel_at,
            next_plan=None
            if follow is None
            else PlanNamed(
                product=follow.product,
                plan=follow.plan,
                version=follow.version,
                extra_seats=0 if has is None else has.next_seats or 0,
            ),
            frozen=account.overdue,
        )


class SubscriptionsAnswer(Struct, frozen=True, kw_only=True):
    """One for each product that the workspace has an account of."""

    items: list[SubscriptionItem]


class InvoiceItem(Struct, frozen=True, kw_only=True):
    """``url`` is a page at Stripe, on which an open one can be paid."""

    id: str
    number: str | None
    status: str
    total: str
    paid: str
    refunded: str
    currency: str
    created_at: datetime
    paid_at: datetime | None
    url: str | None
    pdf: str | None


class InvoicesAnswer(Struct, frozen=True, kw_only=True):
    """The newest first. ``next_cursor`` is null on the last page."""

    items: list[InvoiceItem]
    next_cursor: str | None


def _page(session: Session) -> Reply[PageAnswer]:
    return Reply(PageAnswer(url=session.url or ""))


@lean_post(
    WORKSPACE + "/subscriptions",
    tag=TAG,
    status=HTTPStatus.CREATED,
    refuses=(PlanMissing, PlanNotSold, SeatsRefused, AlreadySubscribed, *OF_PAYMENTS),
)
async def subscribe(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - whoever it is has read it
    data: JSONBody[SubscribeRequest],
    use: FromDishka[Subscribe],
) -> Reply[PageAnswer]:
    """Begin a subscription: the answer is a page at Stripe where it is paid.

    Whoever asks again gets the same page, until it is paid or a day is over.
    """
    return _page(await use(member, data.product, data.plan, seats=data.seats))


@lean_post(
    WORKSPACE + "/top-ups",
    tag=TAG,
    status=HTTPStatus.CREATED,
    refuses=(PackMissing, PlanNotSold, *OF_PAYMENTS),
)
async def buy_credits(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    data: JSONBody[TopUpRequest],
    use: FromDishka[BuyCredits],
) -> Reply[PageAnswer]:
    """Buy a pack of credits: the answer is a page at Stripe. They are there as soon as it is paid."""
    return _page(await use(member, data.product, data.pack, quantity=data.quantity))


@lean_post(WORKSPACE + "/billing-portal", tag=TAG, refuses=OF_PAYMENTS)
async def open_portal(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    use: FromDishka[OpenPortal],
) -> Reply[PageAnswer]:
    """A page at Stripe, for some minutes: cards, addresses, invoices."""
    return Reply(PageAnswer(url=await use(member)))


@reading(WORKSPACE + "/subscriptions", by=Member, tag=TAG)
async def list_subscriptions(
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    member: NamedDependency[Member],
    use: FromDishka[LookAtBilling],
) -> SubscriptionsAnswer:
    """What the workspace subscribes to, and how that stands."""
    return SubscriptionsAnswer(items=[SubscriptionItem.of(each) for each in await use.subscriptions(member)])


@reading(WORKSPACE + "/invoices", by=Member, tag=TAG)
async def list_invoices(
    *,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    member: NamedDependency[Member],
    use: FromDishka[LookAtBilling],
    cursor: Annotated[str | None, QueryParameter(max_length=100, pattern="^in_[A-Za-z0-9_]+$")] = None,
    limit: Annotated[int, QueryParameter(ge=1, le=100)] = 50,
) -> InvoicesAnswer:
    """What it was asked to pay, with a page at Stripe for each."""
    page = await use.invoices(member, after=cursor, limit=limit)
    items = [
        InvoiceItem(
            id=each.id,
            number=each.number,
            status=each.status,
            total=format_hundredths(each.total),
            paid=format_hundredths(each.paid),
            refunded=format_hundredths(each.taken_back),
            currency=each.currency,
            created_at=each.created_at,
            paid_at=each.paid_at,
            url=each.url,
            pdf=each.pdf,
        )
        for each in page.items
    ]
    return InvoicesAnswer(items=items, next_cursor=items[-1].id if page.more else None)


HANDLERS = [subscribe, buy_credits, open_portal, list_subscriptions, list_invoices]
