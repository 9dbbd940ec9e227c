from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from application.jobs.purge import Kind, Leftovers
from application.ports import Clock


@dataclass
class FakeLeftovers(Leftovers):
    """``rows``: of which kind, and when it ended, if it did."""

    clock: Clock
    rows: dict[UUID, tuple[Kind, datetime | None]] = field(default_factory=dict)

    async def purge(self, kind: Kind, *, keep: timedelta, most: int) -> AsyncIterator[int]:
        count = most
        while count >= most:
            old = [
                id for id, (of, at) in self.rows.items() if of is kind and at and at < self.clock.now() - keep
            ]
            for id in old[:most]:
                del self.rows[id]
            count = len(old[:most])
            yield count
