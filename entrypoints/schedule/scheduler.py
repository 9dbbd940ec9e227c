"""Asks, every few seconds and for each job, whether a tick of it is due that this process may run.

APScheduler keeps the time of asking alone: what is due, and whose turn it is, the database says (ADR 0024).
So the clock of this machine decides nothing.
"""

import asyncio
import logging
from datetime import UTC, datetime

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped] # it ships none
from apscheduler.triggers.interval import IntervalTrigger  # type: ignore[import-untyped]
from dishka import AsyncContainer

from application.jobs.run import RunJob
from domain.errors import DatabaseUnavailable

logger = logging.getLogger(__name__)
POLL = 5.0
"""Seconds. A tick begins so much late at most, while there is a worker that is free for it."""


async def schedule(services: AsyncContainer, *, stop: asyncio.Event, grace: float) -> None:
    """Runs what is due until ``stop``.

    Then what is running may go on for ``grace`` seconds; after that it is cut off, and another process
    takes it over.
    """
    await keep_asking(await services.get(RunJob), stop=stop, grace=grace)


async def keep_asking(run: RunJob, *, stop: asyncio.Event, grace: float, poll: float = POLL) -> None:
    running: set[asyncio.Task[None]] = set()

    async def ask(name: str) -> None:
        task = asyncio.create_task(_run(run, name))
        running.add(task)
        task.add_done_callback(running.discard)
        await asyncio.wait({task})  # so that APScheduler has one of it at a time; it cannot wait for its end

    scheduler = AsyncIOScheduler(timezone=UTC)
    for job in run.table.jobs:
        scheduler.add_job(
            ask,
            IntervalTrigger(seconds=poll, timezone=UTC),
            args=[job.name],
            id=job.name,
            next_run_time=datetime.now(UTC),
            misfire_grace_time=None,  # however late: it is only a question
            coalesce=True,
            max_instances=1,
        )
    # It tells of each question that comes while the job still runs.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    scheduler.start()
    try:
        await stop.wait()
    finally:
        scheduler.pause()
        left = set(running)
        if left:
            await asyncio.wait(left, timeout=grace)
        for task in left:
            task.cancel()
        if left:
            await asyncio.wait(left)
        scheduler.shutdown(wait=False)
        await asyncio.sleep(0)  # it ends by a callback


async def _run(run: RunJob, name: str) -> None:
    try:
        await run(name)
    except DatabaseUnavailable as error:
        logger.warning("job %s: %s", name, error)
    except Exception:
        logger.exception("job %s could not be run", name)
