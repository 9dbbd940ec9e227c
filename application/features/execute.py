"""A worker runs what was queued."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import ClassVar, TypeVar
from uuid import UUID

from application.catalog.ports import Catalog
from application.features.ask import AskModel
from application.features.prepare import PrepareRun
from application.features.queued import QueuedRuns
from application.ports import NewId
from application.usage.ports import Ledger, UsageReader
from domain.catalog.errors import FeatureMissing
from domain.errors import DatabaseUnavailable, DomainError, Unavailable
from domain.events import NotYet
from domain.features.errors import InvalidInput, ModelFailed, ModelNotConfigured, PromptUnrenderable
from domain.features.run import Failed, Outcome, Produced
from domain.usage.queue import BeginRun, EndRun, HandBackRun, KeepRun, failure
from domain.usage.queued_run import LEASE, QUEUED_FOR, QueuedRun, RunMissing, RunQueued
from domain.usage.simulate import Simulate

T = TypeVar("T")
AWAY_SECONDS = 1.0
_log = logging.getLogger(__name__)


@dataclass(eq=False)
class RunBroken(Unavailable):
    """A fault of ours: it is in the log."""

    code: ClassVar[str] = "internal_error"

    def __str__(self) -> str:
        return "something went wrong here, and was logged; nothing was charged"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecuteRun:
    """Its state, which changes in one step with its hold, says what was done: it needs no other mark.

    Of several workers one has it; whoever takes over from a dead one goes by the feature's rule.
    """

    ledger: Ledger
    runs: QueuedRuns
    usage: UsageReader
    catalog: Catalog
    prepare: PrepareRun
    ask: AskModel
    new_id: NewId

    async def __call__(self, event: RunQueued) -> None:
        """Raises NotYet while another worker has it."""
        worker = self.new_id()
        begin = BeginRun(account=event.account, run=event.run, worker=worker, lasts=QUEUED_FOR)
        try:
            begun = await _insist(lambda: self.ledger.execute(begin))  # by the same worker: it may have begun
            if begun.state.ended:
                return
            if not begun.led_by(worker):
                raise NotYet
            run = await self.runs.get(event.account, event.run)
        except RunMissing:  # its account was erased, or its owner deleted it
            return
        outcome: Outcome | DomainError | None
        try:
            outcome = await self._outcome(run, worker)
        except asyncio.CancelledError:
            hand_back = HandBackRun(account=run.account, run=run.id, worker=worker)
            with suppress(DomainError):
                await asyncio.shield(self.ledger.execute(hand_back))
            raise
        except Exception:  # noqa: BLE001 - whatever it is, it is told and ends here
            outcome = RunBroken()
            _log.exception("a queued run failed: %s", run.id)
        if outcome is not None:
            end = self._end(run, worker, outcome)
            with suppress(RunMissing):
                await _insist(lambda: self.ledger.execute(end))

    async def _outcome(self, run: QueuedRun, worker: UUID) -> Outcome | DomainError | None:
        """None: it is no longer this worker's."""
        if run.simulate == Simulate.UPSTREAM_ERROR:
            return Failed(ModelFailed())
        try:
            prepared = self.prepare.of(await self.catalog.feature(run.feature), json.loads(run.input))
        except (FeatureMissing, InvalidInput, ModelNotConfigured, PromptUnrenderable) as error:
            return error  # it was published anew meanwhile
        reservation = await _insist(lambda: self.usage.reservation(run.account, run.id))
        call = prepared.call(reservation.opening.output_tokens)
        progress = _Progress()
        asking = asyncio.create_task(
            self.ask(
                prepared.model,
                prepared.feature,
                call,
                units=reservation.estimate.units,
                tell=progress.tell,
            )
        )
        try:
            return await self._watched(run, worker, asking, progress)
        finally:
            asking.cancel()
            await asyncio.wait((asking,))

    async def _watched(
        self, run: QueuedRun, worker: UUID, asking: asyncio.Task[Outcome], progress: "_Progress"
    ) -> Outcome | None:
        """Keeps the run and tells its progress while the model is at work, unless it is cancelled."""
        while True:
            done, _ = await asyncio.wait((asking,), timeout=LEASE.total_seconds() / 3)
            if done:
                return asking.result()
            keep = KeepRun(
                account=run.account, run=run.id, worker=worker, output_tokens=progress.output_tokens
            )
            try:
                kept = await self.ledger.execute(keep)
            except DatabaseUnavailable:
                continue
            except RunMissing:
                return None
            if not kept.led_by(worker):
                return None

    def _end(self, run: QueuedRun, worker: UUID, outcome: Outcome | DomainError) -> EndRun:
        if isinstance(outcome, Produced):
            return EndRun(
                account=run.account,
                run=run.id,
                worker=worker,
                outcome=json.dumps(
                    {"output": outcome.output, "model": outcome.model, "usage": asdict(outcome.usage)}
                ),
                usage=outcome.usage,
                model=outcome.model,
                latency_ms=outcome.latency_ms,
            )
        error = outcome.error if isinstance(outcome, Failed) else outcome
        told = failure(error.code, str(error))
        return EndRun(account=run.account, run=run.id, worker=worker, outcome=told)


@dataclass(slots=True)
class _Progress:
    output_tokens: int = 0

    def tell(self, output_tokens: int) -> None:
        self.output_tokens = output_tokens


async def _insist(write: Callable[[], Awaitable[T]]) -> T:
    """While the database is away, it waits: what the model said is not to be lost."""
    while True:
        try:
            return await write()
        except DatabaseUnavailable:
            await asyncio.sleep(AWAY_SECONDS)
