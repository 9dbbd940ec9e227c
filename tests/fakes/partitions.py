from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from application.ports import Clock
from application.usage.partitions import Partitions
from domain.period import add_months


@dataclass
class FakePartitions(Partitions):
    """``apart``: when what has no place was recorded."""

    clock: Clock
    made: set[date] = field(default_factory=set)
    apart: list[datetime] = field(default_factory=list)

    async def missing(self, ahead: int) -> Sequence[date]:
        first = self.clock.now().replace(day=1)
        wanted = {add_months(first, months).date() for months in range(ahead + 1)}
        return sorted((wanted | {_month(each) for each in self.apart}) - self.made)

    async def make(self, month: date) -> bool:
        if month in self.made:
            return False
        self.made.add(month)
        self.apart = [each for each in self.apart if _month(each) != month]
        return True


def _month(at: datetime) -> date:
    return at.astimezone(UTC).date().replace(day=1)
