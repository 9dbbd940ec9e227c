"""Months as Stripe counts them: from an anchor, so that the 31st comes back after a February."""

from datetime import UTC, datetime

from domain.period import add_months, month_of


def period_after(anchor: int, end: int) -> tuple[int, int]:
    """The month that begins where another has ended."""
    month = month_of(datetime.fromtimestamp(anchor, UTC), datetime.fromtimestamp(end, UTC))
    return int(month.start.timestamp()), int(month.end.timestamp())


def month_later(start: int) -> int:
    return int(add_months(datetime.fromtimestamp(start, UTC), 1).timestamp())
