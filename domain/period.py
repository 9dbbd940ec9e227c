"""Billing periods: whole calendar months counted from an anchor, in UTC."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Period:
    """From ``start``, up to but without ``end``."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError(f"a period from {self.start} until {self.end}")


def add_months(anchor: datetime, months: int) -> datetime:
    """``months`` after ``anchor``; the last day of the month where it has no such day."""
    years, month = divmod(anchor.month - 1 + months, 12)
    year = anchor.year + years
    day = min(anchor.day, monthrange(year, month + 1)[1])
    return anchor.replace(year=year, month=month + 1, day=day)


def month_of(anchor: datetime, now: datetime) -> Period:
    """The month, counted from ``anchor``, that holds ``now``; the first where ``now`` is before it.

    Always counted from the anchor itself, so that the 31st stays the 31st after a February.
    """
    passed = max(0, (now.year - anchor.year) * 12 + now.month - anchor.month)
    if passed and add_months(anchor, passed) > now:
        passed -= 1
    return Period(add_months(anchor, passed), add_months(anchor, passed + 1))
