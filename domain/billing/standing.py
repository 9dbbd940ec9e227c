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


def standing(
    subscriptions: Sequence[Subscription], plans: Mapping[PlanRef, PlanTerms], *, otherwise: PlanRef
) -> Standing:
    """``plans`` has those of all subscriptions, and ``otherwise``: what an account has that has none."""
    current = counting(subscriptions)
    if current is None:
        return Standing(otherwise, plans[otherwise].seats, None)
    plan = plans[current.plan]
    return Standing(current.plan, plan.seats + current.seats, current.freezes_at(plan.grace_days))
