"""An invoice as Stripe has it, and the credits that come of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.billing.sold import Sold, SoldKind
from domain.billing.terms import PackTerms, PlanTerms
from domain.ids import AccountId

LEEWAY = timedelta(days=1)
"""How long the credits of a period last beyond it: Stripe asks for the next one an hour after it begins."""


class InvoiceStatus(StrEnum):
    DRAFT = "draft"
    OPEN = "open"
    PAID = "paid"
    UNCOLLECTIBLE = "uncollectible"
    VOID = "void"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``amount`` is hundredths; below zero for what is given back. ``sold`` is None for what is not of CueBX.

    A ``proration`` pays for a part of a period.
    """

    id: str
    sold: Sold | None
    quantity: int
    amount: int
    unit_amount: int
    start: datetime
    end: datetime
    proration: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """Amounts are hundredths of ``currency``.

    ``taken_back`` is refunded, or disputed and not won. It grows, and falls where a refund fails or a dispute
    is won.
    """

    id: str
    account: AccountId
    customer: str
    subscription: str | None
    status: InvoiceStatus
    number: str | None
    currency: str
    total: int
    paid: int
    lines: tuple[Line, ...]
    created_at: datetime
    paid_at: datetime | None = None
    url: str | None = None
    pdf: str | None = None
    taken_back: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A lot that an invoice pays for: ``amount`` microcredits, granted once for its ``reference``."""

    reference: str
    kind: SoldKind
    amount: int
    start: datetime
    end: datetime | None

    def back(self, invoice: Invoice) -> int:
        """Microcredits of it that go back: by the share of all that the invoice asked for.

        What a balance at Stripe paid of that counts as paid.
        """
        if invoice.total <= 0:
            return 0
        return self.amount * min(invoice.taken_back, invoice.total) // invoice.total


def dues(invoice: Invoice, plans: Mapping[Sold, PlanTerms], packs: Mapping[Sold, PackTerms]) -> Iterator[Due]:
    """The credits of a paid invoice, a lot for each line that pays for some.

    A whole period of a plan grants its allocation, in a trial and at a discount, too; what is left of it when
    the period ends bridges the time until the next one is paid. A change in the middle of one grants the
    difference, by the share of the period's price that was asked for.
    """
    unused = sum(_allocation(each, plans) for each in invoice.lines if each.proration and each.amount < 0)
    for line in invoice.lines:
        if line.sold is None:
            continue
        if line.sold.kind is SoldKind.PACK and line.sold in packs:
            pack = packs[line.sold]
            until = None if pack.days is None else line.start + timedelta(days=pack.days)
            yield _due(line, pack.credits * line.quantity, until)
        elif line.sold.kind is SoldKind.PLAN and not (line.proration and line.amount < 0):
            gained = _allocation(line, plans)
            if line.proration:
                gained, unused = gained + min(0, unused), min(0, unused + gained)
            if gained > 0:
                yield _due(line, gained, line.end + LEEWAY)


def _allocation(line: Line, plans: Mapping[Sold, PlanTerms]) -> int:
    """In microcredits, below zero for what is given back."""
    if line.sold is None or line.sold.kind is not SoldKind.PLAN or line.sold not in plans:
        return 0
    whole = plans[line.sold].allocation * line.quantity
    if not line.proration:
        return whole
    asked = line.unit_amount * line.quantity
    share = whole * abs(line.amount) // asked if asked else 0
    return share if line.amount >= 0 else -share


def _due(line: Line, amount: int, end: datetime | None) -> Due:
    assert line.sold is not None  # noqa: S101 - it was looked at
    return Due(reference=f"stripe:{line.id}", kind=line.sold.kind, amount=amount, start=line.start, end=end)
