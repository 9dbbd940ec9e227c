"""What can be guessed, or sends mail, may be tried so often."""

import pytest

from adapters.memory.limits import MemoryRateLimiter
from application.identity.throttle import LIMITS, LimitedTries
from domain.identity.errors import TooManyAttempts


@pytest.mark.parametrize("what", LIMITS)
async def test_so_many_tries_and_no_more(what: str) -> None:
    throttle = LimitedTries(MemoryRateLimiter(lambda: 0.0))
    for _ in range(LIMITS[what].calls):
        await throttle.hit(what, "ada@example.org")
    with pytest.raises(TooManyAttempts) as refusal:
        await throttle.hit(what, "ada@example.org")
    assert refusal.value.retry_after == LIMITS[what].seconds
    await throttle.hit(what, "eve@example.org")
