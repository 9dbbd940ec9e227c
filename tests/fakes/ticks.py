from collections.abc import Sequence
from datetime import datetime, timedelta

from application.jobs.ports import Ticks
from application.ports import Clock
from domain.jobs.tick import Tick, Timing


class FakeTicks(Ticks):
    """For the processes that share ``rows``, which are tasks of one process."""

    def __init__(self, clock: Clock, rows: dict[str, Tick], *, by: str) -> None:
        self._clock = clock
        self._rows = rows
        self._by = by

    async def claim(self, job: str, timing: Timing, *, lease: timedelta, early: bool = False) -> Tick | None:
        now, tick = self._clock.now(), self._rows.get(job, Tick(job=job))
        due = timing.last(now)
        if tick.running(now) if early else not tick.free(due, now):
            return None
        self._rows[job] = tick = tick.claim(due, now, by=self._by, lease=lease)
        return tick

    async def extend(self, tick: Tick, *, lease: timedelta) -> bool:
        return self._change(tick, self._rows[tick.job].extend(self._clock.now(), lease=lease))

    async def finish(self, tick: Tick, outcome: str) -> bool:
        return self._change(tick, self._rows[tick.job].finish(outcome, self._clock.now()))

    async def give_back(self, tick: Tick) -> None:
        self._change(tick, self._rows[tick.job].give_back(self._clock.now()))

    async def all(self) -> tuple[datetime, Sequence[Tick]]:
        return self._clock.now(), [self._rows[job] for job in sorted(self._rows)]

    def _change(self, tick: Tick, changed: Tick) -> bool:
        kept = self._rows[tick.job]
        ours = (kept.claimed_by, kept.claimed_at) == (self._by, tick.claimed_at)
        if ours and kept.claimed_until is not None:
            self._rows[tick.job] = changed
            return True
        return False
