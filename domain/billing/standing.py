"""What an account may have, by all the subscriptions that it ever had."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.billing.subscription import Subscription
from domain.billing.terms import PlanTerms
from domain.ids import PlanRef


@dataclass(frozen=True, slots=True)
class Standing:
    """``seats`` are all that the workspace may fill. From ``freezes_at`` on nothing is spent."""

    plan: PlanRef
    seats: int
    freezes_at: datetime | None


def counting(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """The one that the account's plan comes from: of several that are paid for at once, the oldest."""
    return min(
        (each for each in subscriptions if each.entitled), key=lambda each: each.created_at, default=None
    )


def living(subscriptions: Sequence[Subscription]) -> Subscription | None:
    """The one that counts, or else the last that was begun and is not over: paused, say, or not paid yet."""
    begun = [each for each in subscriptions if not each.over]
    return counting(subscriptions) or (begun[-1] if begun else None)


def decides(seen: Subscription, before: Sequence[Subscription], after: Sequence[Subscription]) -> bool:
    """Whether what the account may have follows from its subscriptions, once ``seen`` is what it is.

    One that was never paid changes nothing, and neither does one that was over before: somebody may have
    given the workspace other things since. One that is first heard of when it is over leaves what it would
    have left, had it been heard of before.
    """
    if counting(before) is not None or counting(after) is not None:
        return True
    return seen.began and seen.id not in {each.id for each in before}


def standing(
    subscriptions: Sequence[Subscription], plans: Mapping[PlanRef, PlanTerms], *, otherwise: PlanRef
) -> Standing:
    """``plans`` has those of all subscriptions, and ``otherwise``: what an account has that has none."""
    current = counting(subscriptions)
    if current is None:
        return Standing(otherwise, plans[otherwise].seats, None)
    plan = plans[current.plan]
    return Standing(current.plan, plan.seats + current.seats, current.freezes_at(plan.grace_days))
