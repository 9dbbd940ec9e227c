"""What becomes of a subscription: told first, and made exactly as it was told."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.ids import AccountId, PlanRef

LASTS = timedelta(minutes=15)


class Timing(StrEnum):
    NOW = "now"
    PERIOD_END = "period_end"


@dataclass(frozen=True, slots=True)
class Wanted:
    """``seats`` are those beyond the plan's own."""

    plan: PlanRef
    seats: int


def timing_of(before: int, after: int, *, trialing: bool) -> Timing:
    """What costs more, or as much, a month is so at once. What costs less is when what is paid for is over.

    In a trial nothing is paid for yet, so all is at once.
    """
    return Timing.NOW if trialing or after >= before else Timing.PERIOD_END


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """``due`` is asked for now, ``monthly`` for each period from then on; hundredths of ``currency``.

    ``at`` is the instant that it is reckoned for, to the second; ``credits`` are the microcredits that it
    brings. It is for the subscription as it was at ``fence``.
    """

    id: UUID
    account: AccountId
    subscription: str
    wanted: Wanted
    timing: Timing
    at: datetime
    due: int
    monthly: int
    currency: str
    credits: int
    fence: int
    expires_at: datetime

    def good(self, now: datetime, fence: int) -> bool:
        """Whether it may still be made."""
        return now < self.expires_at and self.fence == fence

    @property
    def next_total(self) -> int:
        """What the next period is asked for: less by what is given back now."""
        return max(0, self.monthly + min(0, self.due))

    @classmethod
    def new(
        cls,
        id: UUID,
        account: AccountId,
        subscription: str,
        wanted: Wanted,
        *,
        timing: Timing,
        now: datetime,
        due: int,
        monthly: int,
        currency: str,
        credits: int,  # noqa: A002 - what they are
        fence: int,
    ) -> Self:
        return cls(
            id=id,
            account=account,
            subscription=subscription,
            wanted=wanted,
            timing=timing,
            at=now.replace(microsecond=0),
            due=due,
            monthly=monthly,
            currency=currency,
            credits=credits,
            fence=fence,
            expires_at=now + LASTS,
        )
