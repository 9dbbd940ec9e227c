"""What becomes of a subscription: told first, and made exactly as it was told."""

from dataclasses import dataclass, replace
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


@dataclass(frozen=True, slots=True)
class Monthly:
    """What a month of a plan and its seats costs, in hundredths, and brings, in microcredits."""

    price: int
    credits: int


def timing_of(before: Monthly, after: Monthly, *, trialing: bool) -> Timing:
    """What neither costs less nor brings less is so at once. What does is when what is paid for is over.

    Else a smaller plan with many seats would be a way to have the same credits again by going back. In a
    trial nothing is paid for yet, so all is at once.
    """
    more = after.price >= before.price and after.credits >= before.credits
    return Timing.NOW if trialing or more else Timing.PERIOD_END


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """``due`` is asked for now, ``monthly`` for each period from then on; hundredths of ``currency``.

    ``at`` is the instant that it is reckoned for, to the second; ``credits`` are the microcredits that it
    brings. It is for the subscription as it was at ``fence``; ``claimed`` is the fence since it is made.
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
    claimed: int | None = None

    def good(self, now: datetime, fence: int) -> bool:
        """Whether it may still be begun."""
        return self.claimed is None and now < self.expires_at and self.fence == fence

    def begun(self, fence: int) -> bool:
        """Whether it is being made, and nothing else has come between."""
        return self.claimed == fence

    def claim(self, fence: int) -> Self:
        return replace(self, claimed=fence)

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
        period_end: datetime,
    ) -> Self:
        """Good for a while, but not beyond the period that it is reckoned in."""
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
            expires_at=min(now + LASTS, period_end),
        )
