"""Runs that wait for a worker, as a customer's program sees them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from application.actor import Customer
from application.features.prepare import (
    CountCall,
    PrepareRun,
    anonymous,
    fingerprint_of,
    request_of,
)
from application.pages import Page
from application.ports import NewId
from application.usage.ports import Ledger
from application.usage.reserve import Recall
from application.usage.simulate import simulate_before
from domain.catalog.feature import Feature
from domain.features.errors import InvalidInput
from domain.features.fault import Fault
from domain.ids import AccountId, BatchId, ReservationId
from domain.usage.limits import RateLimited, Standing
from domain.usage.queue import CancelRun, Queue, Task
from domain.usage.queued_run import QUEUED_FOR, QueuedRun, RunBatch, RunMissing, RunNotEnded, RunState
from domain.usage.reserve import Fit, Reserve, Reserved
from domain.usage.simulate import Simulate

MOST_INPUTS = 1000
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is None does not narrow. ``start`` is part of the span of creation, ``end`` is not."""

    feature: str | None = None
    state: RunState | None = None
    batch: BatchId | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class BatchStanding:
    """``counts`` are of the runs that are still kept. ``charged`` is in microcredits."""

    batch: RunBatch
    counts: Mapping[RunState, int]
    charged: int

    @property
    def open(self) -> int:
        return sum(count for state, count in self.counts.items() if not state.ended)


class QueuedRuns(Protocol):
    """What the books keep of queued runs. One past its time is missing, whether or not it was purged."""

    async def get(self, account: AccountId, id: ReservationId) -> QueuedRun:
        """Raises RunMissing."""

    async def page(
        self, account: AccountId, wanted: Wanted, *, after: ReservationId | None, limit: int
    ) -> Sequence[QueuedRun]:
        """The newest first, without what they are about and what came of it."""

    async def batch(self, account: AccountId, id: BatchId) -> BatchStanding:
        """Raises RunMissing."""

    async def erase(self, account: AccountId, id: ReservationId) -> None:
        """Gone for good."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Queued:
    """``batch`` where there was one."""

    run: QueuedRun
    batch: BatchStanding | None
    replayed: bool
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRuns:
    """Credits are held now, for all of them or for none; a worker runs them later.

    Raises SimulationRefused, FeatureNotAllowed, FeatureMissing, InvalidInput, ModelNotConfigured,
    PromptUnrenderable, RateLimited, and what ``Reserve`` raises.
    """

    prepare: PrepareRun
    count: CountCall
    ledger: Ledger
    runs: QueuedRuns
    new_id: NewId

    async def one(
        self,
        actor: Customer,
        key: str,
        document: Document,
        *,
        idempotency_key: str | None,
        simulate: Simulate | None,
        notify: bool,
    ) -> Queued:
        """An estimate that is not affordable is clamped."""
        simulate_before(simulate, test=actor.test, run=True)
        feature = await self.prepare.feature(actor, key)
        task = self._task(actor, feature, document, fit=Fit.CLAMP, simulate=simulate)
        asked = fingerprint_of(actor, key, document, "queued", notify)
        return await self._queue(actor, [task], asked, idempotency_key, None, notify=notify)

    async def many(
        self,
        actor: Customer,
        key: str,
        documents: Sequence[Document],
        *,
        idempotency_key: str | None,
        notify: bool,
    ) -> Queued:
        """One call under the limits, whatever it asks for. A fault's path begins with the input's number."""
        feature = await self.prepare.feature(actor, key)
        tasks, faults = list[Task](), list[Fault]()
        for position, document in enumerate(documents):
            try:
                tasks.append(self._task(actor, feature, document, fit=Fit.EXACT))
            except InvalidInput as error:
                faults += [Fault(f"/{position}{each.path}", each.message) for each in error.faults]
        if faults:
            raise InvalidInput(tuple(faults[:20]))
        asked = fingerprint_of(actor, key, documents, "batch", notify)
        batch = BatchId(self.new_id())
        return await self._queue(actor, tasks, asked, idempotency_key, batch, notify=notify)

    def _task(
        self,
        actor: Customer,
        feature: Feature,
        document: Document,
        *,
        fit: Fit,
        simulate: Simulate | None = None,
    ) -> Task:
        prepared = self.prepare.of(feature, document)
        id = ReservationId(self.new_id())
        reserve = Reserve(
            account=actor.account,
            id=id,
            request=anonymous(id),
            fingerprint="",
            key=actor.key,
            member=actor.member,
            test=actor.test,
            feature=feature.key,
            estimate=prepared.estimate,
            fit=fit,
            expires_in=QUEUED_FOR,
            simulate=simulate,
        )
        return Task(reserve, json.dumps(document))

    async def _queue(
        self,
        actor: Customer,
        tasks: Sequence[Task],
        fingerprint: str,
        key: str | None,
        batch: BatchId | None,
        *,
        notify: bool,
    ) -> Queued:
        standings, refusal = await self.count(actor, repeated=key is not None)
        if key is not None:
            named = [
                replace(each.reserve, request=request_of(key, position), fingerprint=fingerprint)
                for position, each in enumerate(tasks)
            ]
            tasks = [Task(each, task.input) for each, task in zip(named, tasks, strict=True)]
        reserved = await self._hold(Queue(tasks=tasks, batch=batch, notify=notify), refusal)
        run = await self.runs.get(actor.account, reserved.reservation.id)
        return Queued(
            run=run,
            batch=None if run.batch is None else await self.runs.batch(actor.account, run.batch),
            replayed=reserved.replayed,
            standings=standings,
        )

    async def _hold(self, queue: Queue, refusal: RateLimited | None) -> Reserved:
        if refusal is None:
            return await self.ledger.execute(queue)
        return await self.ledger.execute(Recall(queue.tasks[0].reserve, refusal))


@dataclass(frozen=True, slots=True)
class LookAtRuns:
    runs: QueuedRuns

    async def one(self, actor: Customer, account: AccountId, id: ReservationId) -> QueuedRun:
        """Raises RunMissing, also for another account's."""
        _check_own(actor, account)
        return await self.runs.get(account, id)

    async def page(
        self, actor: Customer, wanted: Wanted, *, after: ReservationId | None, limit: int
    ) -> Page[QueuedRun]:
        found = await self.runs.page(actor.account, wanted, after=after, limit=limit + 1)
        return Page.of(found, limit)

    async def batch(self, actor: Customer, account: AccountId, id: BatchId) -> BatchStanding:
        """Raises RunMissing, also for another account's."""
        _check_own(actor, account)
        return await self.runs.batch(account, id)


@dataclass(frozen=True, slots=True)
class EndQueuedRun:
    ledger: Ledger
    runs: QueuedRuns

    async def cancel(self, actor: Customer, account: AccountId, id: ReservationId) -> None:
        """Raises RunMissing, RunEnded."""
        _check_own(actor, account)
        await self.runs.get(account, id)
        await self.ledger.execute(CancelRun(account=account, run=id))

    async def erase(self, actor: Customer, account: AccountId, id: ReservationId) -> None:
        """What it was about and what came of it. Raises RunMissing, RunNotEnded."""
        _check_own(actor, account)
        run = await self.runs.get(account, id)
        if not run.state.ended:
            raise RunNotEnded(run.state)
        await self.runs.erase(account, id)


def _check_own(actor: Customer, account: AccountId) -> None:
    if account != actor.account:
        raise RunMissing
