"""Whoever does not pay is told, again and in time, what comes of it."""

from datetime import datetime, timedelta
from enum import StrEnum

REMINDER = timedelta(days=2)


class Dunning(StrEnum):
    """By the names of its mails. The first is told when a payment fails."""

    REMINDER = "payment_reminder"
    STOPPED = "payment_overdue"


def dunning(freezes_at: datetime, grace_days: int, now: datetime) -> Dunning | None:
    """What is to be said now, if it was not said before. A short grace has no reminder."""
    if now >= freezes_at:
        return Dunning.STOPPED
    if freezes_at - now <= REMINDER < timedelta(days=grace_days):
        return Dunning.REMINDER
    return None


def day(at: datetime) -> str:
    """As a mail says it."""
    return f"{at.day} {at:%B %Y}"
