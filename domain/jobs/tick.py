"""When a job is due, and whose turn it is. Every time here is of one clock: the database's."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Self

from domain.errors import Conflict, Missing, Unavailable

OK = "ok"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(eq=False)
class JobMissing(Missing):
    code: ClassVar[str] = "job_missing"
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"there is no such job: there are {', '.join(self.known)}"


@dataclass(eq=False)
class JobRunning(Conflict):
    code: ClassVar[str] = "job_running"
    job: str

    def __str__(self) -> str:
        return f"the job {self.job} is running elsewhere: wait until it is done"


@dataclass(eq=False)
class TickLost(Conflict):
    """Whoever ran it was silent for so long that somebody else took it over."""

    code: ClassVar[str] = "tick_lost"
    job: str

    def __str__(self) -> str:
        return f"the job {self.job} was taken over by another process"


@dataclass(eq=False)
class JobTooSlow(Unavailable):
    code: ClassVar[str] = "job_too_slow"
    job: str
    seconds: float

    def __str__(self) -> str:
        return f"the job {self.job} was not done within {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class Timing:
    """A tick every so often, ``at`` so long after midnight in UTC. ``every`` divides a day, or is one."""

    every: timedelta
    at: timedelta = timedelta(0)

    def last(self, now: datetime) -> datetime:
        """The tick that is due: those before it are not made up for."""
        return now - (now - _EPOCH - self.at) % self.every

    def next(self, now: datetime) -> datetime:
        return self.last(now) + self.every


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """The last tick of a job that was claimed, and how the last one ended that did.

    While ``claimed_until`` is set it is being worked on, or, once that has passed, was left undone.
    ``failures`` are in a row.
    """

    job: str
    due_at: datetime | None = None
    claimed_at: datetime | None = None
    claimed_until: datetime | None = None
    claimed_by: str | None = None
    finished_at: datetime | None = None
    outcome: str | None = None
    failures: int = 0

    def running(self, now: datetime) -> bool:
        return self.claimed_until is not None and now < self.claimed_until

    def free(self, due: datetime, now: datetime) -> bool:
        """Whether the tick of ``due`` is there to be claimed: new, or left undone by whoever had the last."""
        if self.claimed_until is not None:
            return not self.running(now)
        return self.due_at is None or self.due_at < due

    def claim(self, due: datetime, now: datetime, *, by: str, lease: timedelta) -> Self:
        latest = due if self.due_at is None else max(due, self.due_at)
        return replace(self, due_at=latest, claimed_at=now, claimed_until=now + lease, claimed_by=by)

    def extend(self, now: datetime, *, lease: timedelta) -> Self:
        return replace(self, claimed_until=now + lease)

    def finish(self, outcome: str, now: datetime) -> Self:
        failures = self.failures_after(outcome)
        return replace(self, claimed_until=None, finished_at=now, outcome=outcome, failures=failures)

    def failures_after(self, outcome: str) -> int:
        return 0 if outcome == OK else self.failures + 1

    def give_back(self, now: datetime) -> Self:
        """Undone, for whoever comes next."""
        return replace(self, claimed_until=now)
