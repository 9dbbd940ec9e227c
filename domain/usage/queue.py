"""What a worker does to a queued run. Each is one step of the books: hold, state and event together."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.credits import Quantity
from domain.ids import AccountId, BatchId, KeyId, ReservationId
from domain.usage.desk import Desk
from domain.usage.errors import InsufficientCredits, ReservationExpired, ReservationSettled
from domain.usage.queued_run import (
    ATTEMPTS,
    QueuedRun,
    RunBatch,
    RunEnded,
    RunMissing,
    RunQueued,
    RunSettled,
    RunState,
)
from domain.usage.reservation import LONGEST
from domain.usage.reserve import Reserve, Reserved, find
from domain.usage.settle import Commit, Release, Start

INTERRUPTED = "run_interrupted"
EXPIRED = "run_expired"


def failure(code: str, detail: str) -> str:
    """The outcome of a run that failed."""
    return json.dumps({"error": {"code": code, "detail": detail}})


@dataclass(frozen=True, slots=True)
class Task:
    """One input of a feature, and the hold that pays for its run."""

    reserve: Reserve
    input: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Holds for every task and queues its run, or refuses all. Of one request: raises what ``Reserve`` does.

    A batch is given its own id; a single run has none.
    """

    tasks: Sequence[Task]
    batch: BatchId | None = None
    notify: bool = False

    reservation: None = None
    reference: None = None
    run: None = None

    @property
    def account(self) -> AccountId:
        return self.tasks[0].reserve.account

    @property
    def request(self) -> str:
        """They were queued together or not at all, so the first one's tells."""
        return self.tasks[0].reserve.request

    @property
    def subjects(self) -> Sequence[UUID]:
        return self.tasks[0].reserve.subjects

    def decide(self, desk: Desk, now: datetime) -> Reserved:
        """The first one's hold."""
        known, before = self.request in desk.requests, desk.copy()
        try:
            first = self.tasks[0].reserve.decide(desk, now)
            if known:
                return first
            self._put(desk, self.tasks[0], now, 0)
            for position, task in enumerate(self.tasks[1:], start=1):
                task.reserve.decide(desk, now)
                self._put(desk, task, now, position)
        except InsufficientCredits as refused:
            desk.restore(before)
            raise self._of_all(desk, refused, now) from None
        except Exception:
            desk.restore(before)
            raise
        if self.batch is not None:
            desk.batches.append(
                RunBatch(
                    account=self.account,
                    id=self.batch,
                    feature=self.tasks[0].reserve.feature,
                    total=len(self.tasks),
                    notify=self.notify,
                    created_at=now,
                )
            )
        return first

    def _of_all(self, desk: Desk, refused: InsufficientCredits, now: datetime) -> InsufficientCredits:
        """What all of them need, where it is more than one."""
        if len(self.tasks) == 1:
            return refused
        rates = desk.terms.rates
        needed = sum(rates[each.reserve.feature].cost(each.reserve.estimate) for each in self.tasks)
        return InsufficientCredits(needed=needed, available=desk.available(now))

    def _put(self, desk: Desk, task: Task, now: datetime, position: int) -> None:
        reserve = task.reserve
        key: KeyId | None = reserve.key
        run = QueuedRun(
            account=reserve.account,
            id=reserve.id,
            workspace=desk.account.workspace,
            batch=self.batch,
            position=position,
            key=key,
            feature=reserve.feature,
            input=task.input,
            simulate=reserve.simulate,
            notify=self.notify,
            created_at=now,
        )
        desk.put_run(run)
        desk.tell(RunQueued(account=run.account, run=run.id, feature=run.feature, workspace=run.workspace))


@dataclass(frozen=True, slots=True, kw_only=True)
class _OfRun:
    account: AccountId
    run: ReservationId

    request: None = None
    reference: None = None
    subjects: tuple[UUID, ...] = ()

    @property
    def reservation(self) -> ReservationId:
        return self.run

    def find_run(self, desk: Desk) -> QueuedRun:
        """Raises RunMissing."""
        found = desk.runs.get(self.run)
        if found is None:
            raise RunMissing
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginRun(_OfRun):
    """A worker takes it, for ``LEASE``, and its call begins: ``lasts`` is how long that may go on.

    Where it has ended, or another one has it, it is left alone. What a dead worker had begun is settled by
    its feature's rule: charged whole, and failed; or begun anew on the same hold, ``ATTEMPTS`` times. Raises
    RunMissing.
    """

    worker: UUID
    lasts: timedelta

    def decide(self, desk: Desk, now: datetime) -> QueuedRun:
        run = self.find_run(desk)
        if run.state.ended or run.busy(now) or run.led_by(self.worker):
            return run
        reservation = find(desk, run.id)
        if not reservation.state.open:
            charged = 0 if reservation.settlement is None else reservation.settlement.charged
            outcome = failure(EXPIRED, "the run waited for too long, and its hold ran out")
            return _ended(desk, run, RunState.FAILED, now, outcome=outcome, charged=charged)
        if run.state is RunState.RUNNING and reservation.rate.charge_on_timeout:
            charged = desk.expire(reservation, now)
            outcome = failure(INTERRUPTED, "the worker died after the call had begun; it is charged whole")
            return _ended(desk, run, RunState.FAILED, now, outcome=outcome, charged=charged)
        if run.attempts >= ATTEMPTS:
            Release(account=self.account, reservation=run.id).decide(desk, now)
            outcome = failure(INTERRUPTED, f"the worker died {ATTEMPTS} times; nothing was charged")
            return _ended(desk, run, RunState.FAILED, now, outcome=outcome)
        started = Start(account=self.account, reservation=run.id).decide(desk, now)
        until = now + min(self.lasts, LONGEST)
        if started.expires_at < until:
            desk.put_reservation(replace(started, expires_at=until))
        begun = run.begin(self.worker, now)
        desk.put_run(begun)
        return begun


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRun(_OfRun):
    """It goes on. The answer says whether it is still the ``worker``'s. Raises RunMissing."""

    worker: UUID
    output_tokens: int = 0

    def decide(self, desk: Desk, now: datetime) -> QueuedRun:
        run = self.find_run(desk)
        if run.led_by(self.worker):
            run = run.keep(now, self.output_tokens)
            desk.put_run(run)
        return run


@dataclass(frozen=True, slots=True, kw_only=True)
class HandBackRun(_OfRun):
    """A worker that stops lets another begin it anew at once; that was no attempt. Raises RunMissing.

    What is charged once it has begun stays the worker's, until its lease is over.
    """

    worker: UUID

    def decide(self, desk: Desk, _: datetime) -> QueuedRun:
        run = self.find_run(desk)
        if run.led_by(self.worker) and not find(desk, run.id).rate.charge_on_timeout:
            run = run.hand_back()
            desk.put_run(run)
        return run


@dataclass(frozen=True, slots=True, kw_only=True)
class EndRun(_OfRun):
    """Charges ``usage`` and is done, or failed and releases. Only once, and only by the worker that has it.

    Raises RunMissing.
    """

    worker: UUID
    outcome: str
    usage: Quantity | None = None
    model: str | None = None
    latency_ms: int | None = None

    def decide(self, desk: Desk, now: datetime) -> QueuedRun:
        run = self.find_run(desk)
        if not run.led_by(self.worker):
            return run
        try:
            charged = self._settle(desk, now)
        except (ReservationExpired, ReservationSettled):
            outcome = failure(INTERRUPTED, "its hold ran out before it ended")
            settlement = find(desk, run.id).settlement
            charged = 0 if settlement is None else settlement.charged
            return _ended(desk, run, RunState.FAILED, now, outcome=outcome, charged=charged)
        state = RunState.FAILED if self.usage is None else RunState.DONE
        return _ended(desk, run, state, now, outcome=self.outcome, charged=charged)

    def _settle(self, desk: Desk, now: datetime) -> int:
        if self.usage is None:
            Release(account=self.account, reservation=self.run).decide(desk, now)
            return 0
        commit = Commit(
            account=self.account,
            reservation=self.run,
            usage=self.usage,
            model=self.model,
            latency_ms=self.latency_ms,
        )
        return commit.decide(desk, now).settlement.charged


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRun(_OfRun):
    """Nothing is charged. A repeat gets the same answer. Raises RunMissing, RunEnded."""

    def decide(self, desk: Desk, now: datetime) -> QueuedRun:
        run = self.find_run(desk)
        if run.state is RunState.CANCELLED:
            return run
        if run.state.ended:
            raise RunEnded(run.state)
        if find(desk, run.id).state.open:
            Release(account=self.account, reservation=run.id).decide(desk, now)
        return _ended(desk, run, RunState.CANCELLED, now, outcome=None)


def _ended(
    desk: Desk, run: QueuedRun, state: RunState, now: datetime, *, outcome: str | None, charged: int = 0
) -> QueuedRun:
    ended = run.end(state, now, keep=desk.terms.keeps, outcome=outcome, charged=charged)
    desk.put_run(ended)
    if ended.notify:
        desk.tell(
            RunSettled(account=ended.account, run=ended.id, batch=ended.batch, workspace=ended.workspace)
        )
    return ended
