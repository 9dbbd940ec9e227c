"""Queued runs on the desks of a memory ledger, and whoever tells of their end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from adapters.memory.ledger import MemoryLedger
from application.features.queued import BatchStanding, QueuedRuns, Wanted
from application.features.tell import RunBatches
from application.ports import Clock
from domain.ids import AccountId, BatchId, ReservationId
from domain.usage.queued_run import QueuedRun, RunMissing


@dataclass
class FakeQueuedRuns(QueuedRuns):
    ledger: MemoryLedger
    clock: Clock
    erased: set[ReservationId] = field(default_factory=set)

    async def get(self, account: AccountId, id: ReservationId) -> QueuedRun:
        for each in self._kept(account):
            if each.id == id:
                return each
        raise RunMissing

    async def page(
        self, account: AccountId, wanted: Wanted, *, after: ReservationId | None, limit: int
    ) -> Sequence[QueuedRun]:
        found = [
            replace(each, input="", outcome=None)
            for each in sorted(self._kept(account), key=lambda each: each.id, reverse=True)
            if wanted.feature in {None, each.feature}
            and wanted.state in {None, each.state}
            and wanted.batch in {None, each.batch}
            and (wanted.start is None or each.created_at >= wanted.start)
            and (wanted.end is None or each.created_at < wanted.end)
            and (after is None or each.id < after)
        ]
        return found[:limit]

    async def batch(self, account: AccountId, id: BatchId) -> BatchStanding:
        runs = [each for each in self._kept(account) if each.batch == id]
        if not runs:
            raise RunMissing
        (batch,) = [each for each in self.ledger.desks[account].batches if each.id == id]
        counts = Counter(each.state for each in runs)
        return BatchStanding(batch, counts, sum(each.charged for each in runs))

    async def erase(self, account: AccountId, id: ReservationId) -> None:
        run = self.ledger.desks[account].runs.get(id)
        if run is not None and run.state.ended:
            self.erased.add(id)

    def _kept(self, account: AccountId) -> list[QueuedRun]:
        desk = self.ledger.desks.get(account)
        now = self.clock.now()
        return [
            each
            for each in (desk.runs.values() if desk else ())
            if each.id not in self.erased and (each.kept_until is None or now < each.kept_until)
        ]


@dataclass
class FakeRunBatches(RunBatches):
    told: set[tuple[AccountId, BatchId]]

    async def end(self, account: AccountId, id: BatchId) -> bool:
        if (account, id) in self.told:
            return False
        self.told.add((account, id))
        return True
