"""Moving windows in this process's memory."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from application.usage.ports import RateLimiter
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited, Standing

# Calls within one tick, this part of a window, leave it together, with the last of them. So a window of any
# size keeps at most TICKS + 1 entries, and never lets more calls through than its limit says.
TICKS = 240

Key = tuple[WorkspaceId, str, str, str]


@dataclass(slots=True)
class _Window:
    """``entries`` are, oldest first, the time of the last call in a tick and the number of calls in it.

    Times are whole milliseconds.
    """

    length: int
    entries: deque[tuple[int, int]] = field(default_factory=deque)
    used: int = 0

    def forget(self, now: int) -> None:
        while self.entries and self.entries[0][0] <= now - self.length:
            self.used -= self.entries.popleft()[1]

    def count(self, now: int) -> None:
        tick = self.length / TICKS
        calls = 1
        if self.entries and self.entries[-1][0] // tick == now // tick:
            calls += self.entries.pop()[1]
        self.entries.append((now, calls))
        self.used += 1

    def standing(self, limit: Limit, now: int) -> Standing:
        oldest = self.entries[0][0] if self.entries else now
        return Standing(limit, max(0, limit.calls - self.used), -(-(oldest + self.length - now) // 1000))


class MemoryRateLimiter(RateLimiter):
    """Counts what this process lets through, and nothing that others do.

    ``now`` is a monotonic clock in seconds. Windows in which nothing is left are forgotten in time.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._windows: dict[int, OrderedDict[Key, _Window]] = {}

    async def hit(
        self, workspace: WorkspaceId, product: str, limits: Sequence[Limit]
    ) -> tuple[Standing, ...]:
        if not limits:
            return ()
        now = int(self._now() * 1000)
        windows = [
            self._window((workspace, product, limit.owner, limit.name), limit.seconds, now)
            for limit in limits
        ]
        over = any(window.used >= limit.calls for window, limit in zip(windows, limits, strict=True))
        if not over:
            for window in windows:
                window.count(now)
        standings = tuple(window.standing(limit, now) for window, limit in zip(windows, limits, strict=True))
        if over:
            raise RateLimited.of(standings)
        return standings

    def _window(self, key: Key, seconds: int, now: int) -> _Window:
        windows = self._windows.setdefault(seconds, OrderedDict())
        window = windows.get(key)
        if window is None:
            window = windows[key] = _Window(seconds * 1000)
        window.forget(now)
        windows.move_to_end(key)
        for _ in range(2):  # one more than a call can add, so that what is idle goes
            idlest, oldest = next(iter(windows.items()))
            if oldest is window or (oldest.entries and oldest.entries[-1][0] > now - window.length):
                break
            del windows[idlest]
        return window

    @property
    def remembered(self) -> int:
        """How many windows take up memory."""
        return sum(map(len, self._windows.values()))
