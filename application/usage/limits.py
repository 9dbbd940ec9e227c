from domain.catalog.plan import Plan
from domain.usage.limits import Limit

MINUTE = 60
DAY = 86_400


def limits_of(plan: Plan) -> tuple[Limit, ...]:
    """What a plan allows in a moving minute and a moving day; none where it bounds neither."""
    minute = () if plan.per_minute is None else (Limit("minute", plan.per_minute, MINUTE),)
    day = () if plan.per_day is None else (Limit("day", plan.per_day, DAY),)
    return minute + day
