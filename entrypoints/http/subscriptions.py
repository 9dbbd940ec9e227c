"""A subscription becomes another, ends, or goes on: previewed first, and then made exactly so."""

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from dishka import FromDishka
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from application.actor import Member
from application.billing.change import EndSubscription, MakeChange, PreviewChange, Previewed
from domain.billing.change import Timing
from domain.billing.errors import InvoiceOpen, NotSubscribed, PlanNotSold, QuoteOver, SeatsRefused
from domain.billing.invoice import Line
from domain.billing.sold import Sold, SoldKind
from domain.billing.subscription import Subscription
from domain.catalog.bounds import SEATS
from domain.catalog.errors import PlanMissing
from domain.credits import format_credits, format_hundredths
from domain.ids import MalformedId, parse_quote, quote_text
from entrypoints.http.billing import OF_PAYMENTS
from entrypoints.http.fields import Credits, Key
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.plans import TAG
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import WorkspacePath

PATH = WORKSPACE + "/subscriptions/{product:str}"
ProductPath = Annotated[
    str, PathParameter(description="The product's key", schema_extra={"pattern": "^[a-z][a-z0-9_]{0,62}$"})
]


class ChangeRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is. ``seats`` in all, the plan's own included."""

    plan: Key | None = None
    seats: Annotated[int, Meta(ge=1, le=SEATS)] | None = None


class ProrationItem(Struct, frozen=True, kw_only=True):
    """A part of what is asked for at once, for a part of the period; below zero what is given back."""

    kind: SoldKind
    plan: str
    plan_version: int
    quantity: int
    amount: str
    starts_at: datetime
    ends_at: datetime


class NextInvoice(Struct, frozen=True, kw_only=True):
    at: datetime
    total: str


class QuoteAnswer(Struct, frozen=True, kw_only=True):
    """``due`` is asked for at once, below zero what is kept for the next invoice; ``monthly`` from then on.

    A change that costs more a month is made at once, one that costs less when the period ends. It can be
    made, exactly so, until ``expires_at``. ``next_invoice`` is null where the subscription is cancelled.
    """

    id: str
    plan: str
    plan_version: int
    extra_seats: int
    when: Timing
    due: str
    proration: list[ProrationItem]
    monthly: str
    next_invoice: NextInvoice | None
    currency: str
    credits_before: Credits
    credits_after: Credits
    expires_at: datetime

    @classmethod
    def of(cls, previewed: Previewed) -> "QuoteAnswer":
        quote = previewed.quote
        return cls(
            id=quote_text(quote.account, quote.id),
            plan=quote.wanted.plan.plan,
            plan_version=quote.wanted.plan.version,
            extra_seats=quote.wanted.seats,
            when=quote.timing,
            due=format_hundredths(quote.due),
            proration=[_proration(each, each.sold) for each in previewed.lines if each.sold is not None],
            monthly=format_hundredths(quote.monthly),
            next_invoice=None
            if previewed.next_at is None
            else NextInvoice(at=previewed.next_at, total=format_hundredths(quote.next_total)),
            currency=quote.currency,
            credits_before=format_credits(previewed.available),
            credits_after=format_credits(previewed.available + quote.credits),
            expires_at=quote.expires_at,
        )


def _proration(line: Line, sold: Sold) -> ProrationItem:
    return ProrationItem(
        kind=sold.kind,
        plan=sold.key,
        plan_version=sold.version,
        quantity=line.quantity,
        amount=format_hundredths(line.amount),
        starts_at=line.start,
        ends_at=line.end,
    )


class QuoteRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The ``id`` of a preview."""

    quote: Annotated[str, Meta(min_length=1, max_length=100)]


class CancelRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``now``: not only when what is paid for is over. Nothing is paid back by that."""

    now: bool = False


class StandsAnswer(Struct, frozen=True, kw_only=True):
    """How the subscription stands then."""

    status: str
    plan: str
    plan_version: int
    extra_seats: int
    period_end: datetime
    cancel_at: datetime | None
    next_plan: str | None
    next_extra_seats: int | None

    @classmethod
    def of(cls, subscription: Subscription) -> "StandsAnswer":
        follow = subscription.next_plan
        return cls(
            status=subscription.status,
            plan=subscription.plan.plan,
            plan_version=subscription.plan.version,
            extra_seats=subscription.seats,
            period_end=subscription.period_end,
            cancel_at=subscription.cancel_at,
            next_plan=None if follow is None else follow.plan,
            next_extra_seats=subscription.next_seats,
        )


@lean_post(
    PATH + "/preview",
    tag=TAG,
    status=HTTPStatus.CREATED,
    refuses=(NotSubscribed, PlanMissing, PlanNotSold, SeatsRefused, InvoiceOpen, *OF_PAYMENTS),
)
async def preview_change(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - whoever it is has read it
    product: ProductPath,
    data: JSONBody[ChangeRequest],
    use: FromDishka[PreviewChange],
) -> Reply[QuoteAnswer]:
    """What another plan or other seats would cost, and when. Nothing is changed by it."""
    return Reply(QuoteAnswer.of(await use(member, product, plan=data.plan, seats=data.seats)))


@lean_post(
    PATH + "/change",
    tag=TAG,
    refuses=(MalformedId, NotSubscribed, PlanNotSold, QuoteOver, SeatsRefused, InvoiceOpen, *OF_PAYMENTS),
)
async def change_subscription(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    product: ProductPath,
    data: JSONBody[QuoteRequest],
    use: FromDishka[MakeChange],
) -> Reply[StandsAnswer]:
    """Make the change that was previewed, at the price told. If the payment fails, nothing changes."""
    _, quote = parse_quote(data.quote)
    return Reply(StandsAnswer.of(await use(member, product, quote)))


@lean_post(PATH + "/cancel", tag=TAG, refuses=(NotSubscribed, *OF_PAYMENTS))
async def cancel_subscription(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    product: ProductPath,
    data: JSONBody[CancelRequest],
    use: FromDishka[EndSubscription],
) -> Reply[StandsAnswer]:
    """End the subscription when the period does, or now."""
    return Reply(StandsAnswer.of(await use.cancel(member, product, now=data.now)))


@lean_post(PATH + "/resume", tag=TAG, refuses=(NotSubscribed, *OF_PAYMENTS))
async def resume_subscription(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    product: ProductPath,
    use: FromDishka[EndSubscription],
) -> Reply[StandsAnswer]:
    """Let it go on as it is: neither end nor become another when the period ends.

    A paused one begins a new period, which is paid at once; while that fails it stays paused.
    """
    return Reply(StandsAnswer.of(await use.resume(member, product)))


HANDLERS = [preview_change, change_subscription, cancel_subscription, resume_subscription]
