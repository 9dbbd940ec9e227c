import pytest

from application.usage.limits import limits_of
from domain.catalog.plan import Plan
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


def test_a_refusal_names_the_limit_that_makes_the_caller_wait_longest() -> None:
    minute, day, hour = Limit("minute", 2, 60), Limit("day", 9, 86_400), Limit("hour", 5, 3_600)
    standings = (Standing(minute, 0, 12), Standing(day, 3, 80_000), Standing(hour, 0, 700))
    refusal = RateLimited.of(standings)
    assert (refusal.limit, refusal.retry_after, refusal.standings) == ("hour", 700, standings)
    assert str(refusal) == "the plan's limit of calls per hour is used up; try again in 700 s"
