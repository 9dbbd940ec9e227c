"""A run that waits for a worker. The books keep it, since its state and its hold change in one step."""

import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self
from uuid import UUID

from domain.errors import Conflict, Missing
from domain.ids import AccountId, BatchId, KeyId, ReservationId, WorkspaceId

ATTEMPTS = 3
"""How often a run begins whose workers die of it, before it fails."""
LEASE = timedelta(seconds=15)
"""How long a run is its worker's own: lengthened while it goes on, over soon after the worker died."""
QUEUED_FOR = timedelta(hours=24)
"""How long a run may wait. Its hold ends then, and it is not begun any more."""


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self not in {RunState.QUEUED, RunState.RUNNING}


class RunMissing(Missing):
    code: ClassVar[str] = "run_missing"

    def __str__(self) -> str:
        return "there is no such run, or it is no longer kept"


@dataclass(eq=False)
class RunEnded(Conflict):
    code: ClassVar[str] = "run_ended"
    state: str

    def __str__(self) -> str:
        return f"the run has ended already: it is {self.state}"


@dataclass(eq=False)
class RunNotEnded(Conflict):
    code: ClassVar[str] = "run_not_ended"
    state: str

    def __str__(self) -> str:
        return f"the run has no result yet: it is {self.state}; cancel it first"


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedRun:
    """``id`` is its reservation's. ``input`` and ``outcome`` are JSON text; a desk has it without its input.

    ``attempts`` says how often a worker has begun it; ``worker`` is the last one, new for each attempt, and
    has it until ``leased_until``. ``output_tokens`` is about what the model had said in that attempt when the
    lease was last lengthened. ``charged`` is in microcredits. All of it is kept until ``kept_until``.
    """

    account: AccountId
    id: ReservationId
    workspace: WorkspaceId
    batch: BatchId | None = None
    position: int = 0
    key: KeyId | None
    feature: str
    input: str = ""
    simulate: str | None = None
    notify: bool = False
    state: RunState = RunState.QUEUED
    attempts: int = 0
    worker: UUID | None = None
    output_tokens: int = 0
    outcome: str | None = None
    charged: int = 0
    created_at: datetime
    started_at: datetime | None = None
    leased_until: datetime | None = None
    finished_at: datetime | None = None
    kept_until: datetime | None = None

    @property
    def failure(self) -> str | None:
        """What went wrong, in words."""
        if self.state is not RunState.FAILED or self.outcome is None:
            return None
        return str(json.loads(self.outcome)["error"]["detail"])

    def begin(self, worker: UUID, now: datetime) -> Self:
        return replace(
            self,
            state=RunState.RUNNING,
            attempts=self.attempts + 1,
            worker=worker,
            output_tokens=0,
            started_at=self.started_at or now,
            leased_until=now + LEASE,
        )

    def hand_back(self) -> Self:
        """As before the attempt."""
        return replace(
            self, state=RunState.QUEUED, attempts=self.attempts - 1, worker=None, leased_until=None
        )

    def keep(self, now: datetime, output_tokens: int) -> Self:
        return replace(self, leased_until=now + LEASE, output_tokens=output_tokens)

    def led_by(self, worker: UUID) -> bool:
        """Whether it is still that one's: neither ended nor begun anew by another."""
        return self.state is RunState.RUNNING and self.worker == worker

    def busy(self, now: datetime) -> bool:
        """Whether some worker has it."""
        return self.state is RunState.RUNNING and self.leased_until is not None and now < self.leased_until

    def end(
        self, state: RunState, now: datetime, *, keep: timedelta, outcome: str | None, charged: int = 0
    ) -> Self:
        return replace(
            self,
            state=state,
            outcome=outcome,
            charged=charged,
            leased_until=None,
            finished_at=now,
            kept_until=now + keep,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBatch:
    """``total`` runs that were queued by one call."""

    account: AccountId
    id: BatchId
    feature: str
    total: int
    notify: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQueued:
    kind: ClassVar[str] = "run.queued"
    version: ClassVar[int] = 1

    account: AccountId
    run: ReservationId
    feature: str
    workspace: WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettled:
    """Told of runs whose end somebody asked to hear of."""

    kind: ClassVar[str] = "run.settled"
    version: ClassVar[int] = 1

    account: AccountId
    run: ReservationId
    batch: BatchId | None
    workspace: WorkspaceId
