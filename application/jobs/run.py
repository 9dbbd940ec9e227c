import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic

from application.actor import Operator
from application.jobs.ports import Ticks, Work
from application.metrics import Meter
from domain.errors import DatabaseUnavailable, DomainError
from domain.jobs.tick import OK, JobMissing, JobRunning, JobTooSlow, Tick, TickLost, Timing

_log = logging.getLogger(__name__)
LEASE = timedelta(minutes=1)
"""How long a silent process keeps a tick. One that works renews it three times as often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """``limit`` is how long its work may take."""

    name: str
    timing: Timing
    limit: timedelta
    work: Work


@dataclass(frozen=True, slots=True)
class JobTable:
    jobs: tuple[Job, ...]

    def get(self, name: str) -> Job:
        """Raises JobMissing."""
        for job in self.jobs:
            if job.name == name:
                return job
        raise JobMissing(tuple(job.name for job in self.jobs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """``outcome`` is ``ok``, or the name of the error, with its code where it has one."""

    job: str
    due_at: datetime | None
    outcome: str
    seconds: float
    done: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunJob:
    """One tick of a job, if it is this process that gets it. What goes wrong is its outcome, and logged."""

    table: JobTable
    ticks: Ticks
    meter: Meter
    lease: timedelta = LEASE

    async def __call__(self, name: str, *, early: bool = False) -> Ran | None:
        """Raises JobMissing, and DatabaseUnavailable while nothing has begun.

        Cancelled, it gives the tick back.
        """
        job = self.table.get(name)
        tick = await self.ticks.claim(name, job.timing, lease=self.lease, early=early)
        if tick is None:
            return None
        started = monotonic()
        outcome, done = OK, dict[str, int]()
        try:
            done.update(await self._work(job, tick))
        except asyncio.CancelledError:
            await asyncio.shield(self.ticks.give_back(tick))
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other jobs go on
            outcome = _named(error)
            _log.exception("job %s failed: %s", name, outcome)
        seconds = monotonic() - started
        self.meter.job(name, outcome, seconds)
        if outcome == OK:
            _log.info("job %s took %.1f s: %s", name, seconds, _told(done))
        await self.ticks.finish(tick, outcome)
        return Ran(job=name, due_at=tick.due_at, outcome=outcome, seconds=seconds, done=done)

    async def _work(self, job: Job, tick: Tick) -> Mapping[str, int]:
        """Raises JobTooSlow, TickLost, and whatever the work raises."""
        work = asyncio.ensure_future(job.work())
        kept = asyncio.ensure_future(self._keep(tick))
        limit = job.limit.total_seconds()
        try:
            await asyncio.wait({work, kept}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                return work.result()
            raise TickLost(job.name) if kept.done() else JobTooSlow(job.name, limit)
        finally:
            work.cancel()
            kept.cancel()
            await asyncio.wait({work, kept})

    async def _keep(self, tick: Tick) -> None:
        """Returns when the tick is lost."""
        kept = True
        while kept:
            await asyncio.sleep(self.lease.total_seconds() / 3)
            try:
                kept = await self.ticks.extend(tick, lease=self.lease)
            except DatabaseUnavailable:
                _log.warning("the tick of job %s could not be extended", tick.job)


@dataclass(frozen=True, slots=True)
class RunJobNow:
    run: RunJob

    async def __call__(self, _: Operator, name: str) -> Ran:
        """Whether or not it is due. Raises JobMissing, JobRunning."""
        ran = await self.run(name, early=True)
        if ran is None:
            raise JobRunning(name)
        return ran


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """``next_at``: when it is due next, or since when it is; ``tick`` is None before its first."""

    job: Job
    tick: Tick | None
    running: bool
    next_at: datetime


@dataclass(frozen=True, slots=True)
class ListJobs:
    table: JobTable
    ticks: Ticks

    async def __call__(self, _: Operator) -> Sequence[Listed]:
        now, ticks = await self.ticks.all()
        known = {each.job: each for each in ticks}
        return [_listed(job, known.get(job.name), now) for job in self.table.jobs]


def _listed(job: Job, tick: Tick | None, now: datetime) -> Listed:
    due = job.timing.last(now)
    running = tick is not None and tick.running(now)
    waits = not running and (tick is None or tick.free(due, now))
    return Listed(job=job, tick=tick, running=running, next_at=due if waits else job.timing.next(now))


def _named(error: Exception) -> str:
    name = type(error).__name__
    return f"{name} [{error.code}]" if isinstance(error, DomainError) else name


def _told(done: Mapping[str, int]) -> str:
    return ", ".join(f"{what} {count}" for what, count in done.items()) or "nothing to do"
