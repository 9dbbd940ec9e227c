"""What is of no more use is deleted: each kind of it so long after its end."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Protocol

from application.jobs.ports import Work

_DAY = timedelta(days=1)
MOST = 500
"""Rows that one transaction deletes."""


class Kind(StrEnum):
    """And when each ends."""

    RESERVATIONS = "reservations"
    """When they are settled."""
    RUNS = "runs"
    """When they are finished."""
    SESSIONS = "sessions"
    """When they are ended or run out. With their refresh tokens."""
    CODES = "codes"
    """When they run out."""
    INVITATIONS = "invitations"
    """When they are accepted, revoked or run out."""
    ALERTS = "alerts"
    """When they are told."""
    QUEUED_RUNS = "queued_runs"
    """When the time that their plan keeps them is over."""
    BATCHES = "batches"
    """When they are queued, and none of their runs is left."""
    INBOX = "inbox"
    """When a message was acted on."""
    STRIPE_EVENTS = "stripe_events"
    """When they were told."""
    QUOTES = "quotes"
    """When they can be made no more."""


KEEP: Mapping[Kind, timedelta] = {
    Kind.RESERVATIONS: 2 * _DAY,
    Kind.RUNS: _DAY,
    Kind.SESSIONS: 30 * _DAY,
    Kind.CODES: _DAY,
    Kind.INVITATIONS: 90 * _DAY,
    Kind.ALERTS: 400 * _DAY,
    Kind.QUEUED_RUNS: timedelta(0),
    Kind.BATCHES: 2 * _DAY,
    Kind.INBOX: 14 * _DAY,
    Kind.STRIPE_EVENTS: 60 * _DAY,
    Kind.QUOTES: _DAY,
}
"""An Idempotency-Key is known for a day: a reservation stays for another, so that no repeat comes too late.

The audit log and usage records stay for ever.
"""


class Leftovers(Protocol):
    """By the database's clock. Any number of processes may purge at once."""

    def purge(self, kind: Kind, *, keep: timedelta, most: int) -> AsyncIterator[int]:
        """Deletes what ended longer than ``keep`` ago, up to ``most`` in a transaction: how many in each.

        Of a limit's spending nothing is lost to the audit. Raises DatabaseUnavailable.
        """


@dataclass(frozen=True, slots=True)
class Purge(Work):
    leftovers: Leftovers

    async def __call__(self) -> Mapping[str, int]:
        """Raises DatabaseUnavailable."""
        done = dict.fromkeys(Kind, 0)
        for kind, keep in KEEP.items():
            async for count in self.leftovers.purge(kind, keep=keep, most=MOST):
                done[kind] += count
        return {str(kind): count for kind, count in done.items()}
