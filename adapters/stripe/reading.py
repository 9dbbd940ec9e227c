"""Stripe's objects as the domain knows them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from adapters.stripe.prices import sold_by, tag
from domain.billing.invoice import Invoice, InvoiceStatus, Line
from domain.billing.sold import Sold, SoldKind
from domain.billing.subscription import Status, Subscription
from domain.ids import AccountId, MalformedId, parse_account

ACCOUNT = "cuebx_account"
"""In the metadata of what is of CueBX: whose it is."""


def account_of(metadata: Any) -> AccountId | None:  # noqa: ANN401 - Stripe's own kind of mapping
    named = tag(metadata, ACCOUNT)
    if named is None:
        return None
    try:
        return parse_account(named)
    except MalformedId:
        return None


def when(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def id_of(reference: Any) -> str | None:  # noqa: ANN401 - an id, or the object itself where it was asked for
    return reference if reference is None or isinstance(reference, str) else str(reference.id)


def subscription_from(
    there: Any,  # noqa: ANN401 - stripe.Subscription, whose items hide behind dict.items
    next_: Sequence[tuple[Sold, int]] | None,
    owed_since: datetime | None,
) -> Subscription | None:
    """``next_`` is what the schedule has it become. None for what is not of CueBX."""
    account = account_of(there.metadata)
    items = [(sold_by(each.price), each.quantity or 0, each) for each in there["items"].data]
    plans = [(sold, each) for sold, _, each in items if sold is not None and sold.kind is SoldKind.PLAN]
    if account is None or not plans:
        return None
    plan, first = plans[0]
    follow = None if next_ is None else dict(next_)
    return Subscription(
        id=there.id,
        account=account,
        customer=str(id_of(there.customer)),
        status=Status(there.status),
        plan=plan.ref,
        seats=sum(count for sold, count, _ in items if sold is not None and sold.kind is SoldKind.SEAT),
        created_at=at(there.created),
        period_start=at(first.current_period_start),
        period_end=at(first.current_period_end),
        cancel_at=when(there.cancel_at),
        trial_end=when(there.trial_end),
        schedule=id_of(there.schedule),
        next_plan=None if follow is None else next(each.ref for each in follow if each.kind is SoldKind.PLAN),
        next_seats=None
        if follow is None
        else sum(count for each, count in follow.items() if each.kind is SoldKind.SEAT),
        owed_since=owed_since,
        ended_at=when(there.ended_at),
    )


def invoice_from(
    there: Any,  # noqa: ANN401 - stripe.Invoice
    lines: Sequence[Any],
    sold: Mapping[str, Sold | None],
    *,
    taken_back: int,
) -> Invoice | None:
    """``sold`` is by price. None for what is not of CueBX."""
    details = there.parent.subscription_details if there.parent is not None else None
    account = account_of(there.metadata) or (account_of(details.metadata) if details is not None else None)
    if account is None:
        return None
    transitions = there.status_transitions
    return Invoice(
        id=str(there.id),
        account=account,
        customer=str(id_of(there.customer)),
        subscription=None if details is None else id_of(details.subscription),
        status=InvoiceStatus(there.status or "draft"),
        number=there.number,
        currency=there.currency.upper(),
        total=there.total,
        paid=there.amount_paid,
        lines=tuple(_line(each, sold) for each in lines),
        created_at=at(there.created),
        paid_at=None if transitions is None else when(transitions.paid_at),
        url=there.hosted_invoice_url,
        pdf=there.invoice_pdf,
        taken_back=taken_back,
    )


def price_of(line: Any) -> str | None:  # noqa: ANN401 - stripe.InvoiceLineItem
    pricing = line.pricing
    if pricing is None or pricing.price_details is None:
        return None
    return id_of(pricing.price_details.price)


def _line(line: Any, sold: Mapping[str, Sold | None]) -> Line:  # noqa: ANN401 - as above
    price = price_of(line)
    unit = None if line.pricing is None else line.pricing.unit_amount_decimal
    return Line(
        id=str(line.id),
        sold=None if price is None else sold.get(price),
        quantity=line.quantity or 1,
        amount=line.amount,
        unit_amount=int(Decimal(unit)) if unit is not None else 0,
        start=at(line.period.start),
        end=at(line.period.end),
        proration=_proration(line),
    )


def _proration(line: Any) -> bool:  # noqa: ANN401 - as above
    parent = line.parent
    if parent is None:
        return False
    details = parent.subscription_item_details or parent.invoice_item_details
    return bool(details is not None and details.proration)
