from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar

from application.actor import Customer
from application.pages import Page
from application.ports import Clock
from application.usage.ports import By, Place, UsageGroup, UsageReader
from domain.errors import Invalid
from domain.usage.record import UsageRecord

LONGEST = timedelta(days=400)
USUAL = timedelta(days=30)
HOUR = timedelta(hours=1)


@dataclass(eq=False)
class SpanRefused(Invalid):
    code: ClassVar[str] = "span_refused"
    reason: str

    def __str__(self) -> str:
        return self.reason


def _whole_hour(at: datetime) -> bool:
    return at.minute == at.second == at.microsecond == 0


@dataclass(frozen=True, slots=True)
class ReadUsage:
    """Whatever is not said: the last 30 days, up to and with the current hour."""

    reader: UsageReader
    clock: Clock

    async def sums(
        self, customer: Customer, start: datetime | None, end: datetime | None, by: frozenset[By]
    ) -> tuple[datetime, datetime, Sequence[UsageGroup]]:
        """Raises SpanRefused."""
        start, end = self._span(start, end)
        if not (_whole_hour(start) and _whole_hour(end)):
            raise SpanRefused("sums are kept by the hour: from and to must be whole hours")
        return start, end, await self.reader.sums(customer.account, start, end, by)

    async def records(
        self,
        customer: Customer,
        start: datetime | None,
        end: datetime | None,
        after: Place | None,
        limit: int,
    ) -> Page[UsageRecord]:
        """Raises SpanRefused."""
        start, end = self._span(start, end)
        found = await self.reader.records(customer.account, start, end, after=after, limit=limit + 1)
        return Page.of(found, limit)

    def _span(self, start: datetime | None, end: datetime | None) -> tuple[datetime, datetime]:
        if end is None:
            end = self.clock.now().replace(minute=0, second=0, microsecond=0) + HOUR
        if start is None:
            start = end - USUAL
        if start >= end:
            raise SpanRefused("from must be before to")
        if end - start > LONGEST:
            raise SpanRefused(f"from and to may be {LONGEST.days} days apart at most")
        return start, end
