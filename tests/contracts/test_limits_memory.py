"""What a limiter in memory promises beyond the contract."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.memory.limits import TICKS, MemoryRateLimiter
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited

WORKSPACE = WorkspaceId(uuid4())
EIGHTHS = st.integers(0, 200) | st.sampled_from([0, 1, 160, 480])  # of a second: exact as floats


@given(calls=st.integers(1, 5), gaps=st.lists(EIGHTHS, max_size=60))
async def test_no_window_holds_more_calls_than_its_limit_and_none_is_refused_without_need(
    calls: int, gaps: list[int]
) -> None:
    time = 0.0
    limiter = MemoryRateLimiter(lambda: time)
    limit = Limit("minute", calls, 60)
    passed: list[float] = []

    def within(seconds: float) -> int:
        return sum(at > time - seconds for at in passed)

    for gap in gaps:
        time += gap / 8
        try:
            await limiter.hit(WORKSPACE, "api", (limit,))
        except RateLimited as refusal:
            assert within(60 + 60 / TICKS) >= calls
            time += refusal.retry_after
            await limiter.hit(WORKSPACE, "api", (limit,))
        passed.append(time)
        assert within(60) <= calls


async def test_calls_at_the_pace_of_the_limit_all_pass() -> None:
    time = 0.0
    limiter = MemoryRateLimiter(lambda: time)
    for _ in range(200):
        await limiter.hit(WORKSPACE, "api", (Limit("minute", 60, 60),))
        time += 1


async def test_a_window_keeps_no_entry_for_each_call() -> None:
    time = 0.0
    limiter = MemoryRateLimiter(lambda: time)
    limit = Limit("day", 1_000_000, 86_400)
    for _ in range(5_000):
        (standing,) = await limiter.hit(WORKSPACE, "api", (limit,))
        time += 17
    assert standing.remaining == 1_000_000 - 5_000
    (window,) = limiter._windows[86_400].values()  # noqa: SLF001 - its size shows nowhere else
    assert len(window.entries) <= TICKS + 1


@pytest.mark.parametrize(
    "limits", [(Limit("minute", 500, 60),), (Limit("minute", 500, 60), Limit("day", 500, 86_400))]
)
async def test_workspaces_that_went_are_forgotten(limits: tuple[Limit, ...]) -> None:
    time = 0.0
    limiter = MemoryRateLimiter(lambda: time)
    for _ in range(100):
        await limiter.hit(WorkspaceId(uuid4()), "api", limits)
    assert limiter.remembered == 100 * len(limits)
    time += 86_400
    for _ in range(100):
        await limiter.hit(WORKSPACE, "api", limits)
    assert limiter.remembered == len(limits)
