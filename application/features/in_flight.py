import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from domain.errors import DomainError
from domain.features.errors import ServerStopping

T = TypeVar("T")

_log = logging.getLogger(__name__)


class InFlight:
    """Runs that go on to their end though nobody waits for them any more.

    Credits are held for them, and the model is paid by the time it answers: a caller who hangs up is charged
    for what he asked for.
    """

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """What ``work`` answers; it is not stopped when the caller is. Raises ServerStopping."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise ServerStopping from None
            task.add_done_callback(_told_to_nobody)
            raise

    async def drain(self, seconds: float) -> None:
        """Wait until all have ended.

        The ones that take longer than ``seconds`` are cut off: they give their holds back and end.
        """
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=seconds)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)


def _told_to_nobody(task: asyncio.Task[Any]) -> None:
    error = None if task.cancelled() else task.exception()
    if error is not None and not isinstance(error, DomainError):
        _log.error("a run that nobody waited for failed", exc_info=error)
