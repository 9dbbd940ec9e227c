"""A subscription as Stripe has it, and what follows from it for the account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from domain.ids import AccountId, PlanRef


class Status(StrEnum):
    """https://docs.stripe.com/api/subscriptions/object#subscription_object-status."""

    INCOMPLETE = "incomplete"
    INCOMPLETE_EXPIRED = "incomplete_expired"
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"
    UNPAID = "unpaid"
    CANCELED = "canceled"
    PAUSED = "paused"


WARNED = timedelta(days=3)
"""How long before its end a trial is told of: when Stripe tells us."""
_ENTITLED = frozenset({Status.TRIALING, Status.ACTIVE, Status.PAST_DUE, Status.UNPAID})
OWING = frozenset({Status.PAST_DUE, Status.UNPAID})
OVER = frozenset({Status.CANCELED, Status.INCOMPLETE_EXPIRED})
_NEVER_PAID = frozenset({Status.INCOMPLETE, Status.INCOMPLETE_EXPIRED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """``id`` and ``customer`` are Stripe's. ``seats`` are those bought beyond the plan's own.

    ``next_plan`` and ``next_seats`` is what it becomes at ``period_end``, by the ``schedule`` of that name.
    ``owed_since`` is when the oldest invoice was made that is not paid.
    """

    id: str
    account: AccountId
    customer: str
    status: Status
    plan: PlanRef
    seats: int
    created_at: datetime
    period_start: datetime
    period_end: datetime
    cancel_at: datetime | None = None
    trial_end: datetime | None = None
    schedule: str | None = None
    next_plan: PlanRef | None = None
    next_seats: int | None = None
    owed_since: datetime | None = None
    ended_at: datetime | None = None

    @property
    def entitled(self) -> bool:
        """Whether the account has its plan."""
        return self.status in _ENTITLED

    @property
    def owing(self) -> bool:
        """Whether an invoice is open, or was given up."""
        return self.status in OWING

    @property
    def began(self) -> bool:
        """Whether the account ever had its plan."""
        return self.status not in _NEVER_PAID

    @property
    def over(self) -> bool:
        return self.status in OVER

    @property
    def renews(self) -> bool:
        """Whether more is asked for in time."""
        return not self.over and self.cancel_at is None

    def trial_ends_soon(self, now: datetime) -> datetime | None:
        """When a trial ends that is to be paid for soon."""
        if self.status is not Status.TRIALING or self.trial_end is None or not self.renews:
            return None
        return self.trial_end if self.trial_end - now <= WARNED else None

    def freezes_at(self, grace_days: int) -> datetime | None:
        """From when on nothing is spent, because it is not paid."""
        if not self.owing or self.owed_since is None:
            return None
        return self.owed_since + timedelta(days=grace_days)
