from domain.catalog.plan import Plan
from domain.ids import KeyId
from domain.keys.policy import ANYTHING, Policy
from domain.usage.limits import Limit

MINUTE = 60
DAY = 86_400


def limits_of(plan: Plan, key: KeyId | None = None, policy: Policy = ANYTHING) -> tuple[Limit, ...]:
    """What a plan and a key allow in a moving minute and a moving day; none where nothing is bounded."""
    minute = () if plan.per_minute is None else (Limit("minute", plan.per_minute, MINUTE),)
    day = () if plan.per_day is None else (Limit("day", plan.per_day, DAY),)
    own = f"{key}"
    key_minute = () if policy.per_minute is None else (Limit("key_minute", policy.per_minute, MINUTE, own),)
    key_day = () if policy.per_day is None else (Limit("key_day", policy.per_day, DAY, own),)
    return minute + day + key_minute + key_day
