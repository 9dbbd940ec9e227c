from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from application.ports import Clock

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@dataclass
class SetClock(Clock):
    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def pass_by(self, time: timedelta) -> None:
        self.time += time


@dataclass
class SetMonotonic:
    """Seconds since whenever, as ``time.monotonic`` counts them."""

    seconds: float = 1000.0

    def __call__(self) -> float:
        return self.seconds
