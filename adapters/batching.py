"""Group commit: what arrives while one batch is written is the next batch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

C = TypeVar("C")
R = TypeVar("R")


class Batcher(Generic[C, R]):
    """Collects commands and has them served together, one batch at a time, in the order of arrival.

    ``serve`` answers each command of a batch by a result or by the exception that is its answer. Where it
    raises, the commands are served one by one, so that one bad command harms no other; ``serve`` must
    therefore bear being given the same command again. ``idle`` is called whenever nothing waits any more;
    it must not raise. A command alone waits for nobody.
    """

    def __init__(
        self,
        serve: Callable[[Sequence[C]], Awaitable[Sequence[R | Exception]]],
        *,
        idle: Callable[[], Awaitable[None]] | None = None,
        limit: int = 256,
    ) -> None:
        self._serve = serve
        self._idle = idle
        self._limit = limit
        self._waiting: list[tuple[C, asyncio.Future[R]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def submit(self, command: C) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await answer

    async def close(self) -> None:
        """Waits until everything submitted is answered."""
        if self._worker is not None:
            await self._worker

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[: self._limit]
                del self._waiting[: self._limit]
                await self._answer([each for each in batch if not each[1].done()])
                if self._idle is not None and not self._waiting:
                    await self._idle()
        finally:
            self._worker = None

    async def _answer(self, batch: list[tuple[C, asyncio.Future[R]]]) -> None:
        if not batch:
            return
        try:
            results = await self._serve([command for command, _ in batch])
        except Exception as error:  # noqa: BLE001 - it belongs to whoever waits for the answer
            if len(batch) == 1:
                _give(batch[0][1], error)
                return
            for each in batch:
                await self._answer([each])
            return
        for (_, answer), result in zip(batch, results, strict=True):
            _give(answer, result)


def _give(answer: asyncio.Future[R], result: R | Exception) -> None:
    if answer.done():  # whoever asked has gone
        return
    if isinstance(result, Exception):
        answer.set_exception(result)
    else:
        answer.set_result(result)
