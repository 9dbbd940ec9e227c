from uuid import UUID

import pytest

from application.usage.limits import limits_of
from domain.catalog.plan import Plan
from domain.ids import KeyId
from domain.keys.policy import Policy
from domain.usage.limits import Limit, RateLimited, Standing


def plan(per_minute: int | None, per_day: int | None) -> Plan:
    return Plan(
        product="api",
        key="team",
        version=1,
        name="Team",
        description="",
        price=0,
        currency="EUR",
        seats=1,
        allocation=0,
        overdraft=0,
        multiplier=1_000_000,
        per_minute=per_minute,
        per_day=per_day,
        tariffs={},
    )


@pytest.mark.parametrize(
    ("per_minute", "per_day", "limits"),
    [
        (None, None, ()),
        (60, None, (Limit("minute", 60, 60),)),
        (None, 900, (Limit("day", 900, 86_400),)),
        (0, 900, (Limit("minute", 0, 60), Limit("day", 900, 86_400))),
    ],
)
def test_a_plan_bounds_the_minute_and_the_day_or_neither(
    per_minute: int | None, per_day: int | None, limits: tuple[Limit, ...]
) -> None:
    assert limits_of(plan(per_minute, per_day)) == limits


def test_a_key_may_be_bounded_beside_its_plan() -> None:
    key = KeyId(UUID(int=7))
    own = Policy(per_minute=5, per_day=50)
    assert limits_of(plan(60, None), key, own) == (
        Limit("minute", 60, 60),
        Limit("key_minute", 5, 60, str(key)),
        Limit("key_day", 50, 86_400, str(key)),
    )


def test_a_refusal_by_a_key_s_own_limit_says_so() -> None:
    refusal = RateLimited.of([Standing(Limit("key_minute", 5, 60, "k"), 0, 9)])
    assert str(refusal) == "the key's limit of calls per minute is used up; try again in 9 s"


def test_a_refusal_names_the_limit_that_makes_the_caller_wait_longest() -> None:
    minute, day, hour = Limit("minute", 2, 60), Limit("day", 9, 86_400), Limit("hour", 5, 3_600)
    standings = (Standing(minute, 0, 12), Standing(day, 3, 80_000), Standing(hour, 0, 700))
    refusal = RateLimited.of(standings)
    assert (refusal.limit, refusal.retry_after, refusal.standings) == ("hour", 700, standings)
    assert str(refusal) == "the plan's limit of calls per hour is used up; try again in 700 s"
