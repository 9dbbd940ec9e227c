"""Group commit: what arrives while one batch is written is the next batch."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

C = TypeVar("C")
R = TypeVar("R")


class Batcher(Generic[C, R]):
    """Collects commands and has them served together, batch after batch, in the order of arrival.

    ``serve`` answers each command of a batch by a result or by the exception that is its answer. Where it
    raises, the commands are served one by one, so that one bad command harms no other; ``serve`` must
    therefore bear being given the same command again. A batch ends with its answers, or lets the next one
    begin before by ``pass_turn``. ``idle`` is called whenever nothing waits any more; it must not raise.
    A command alone waits for nobody.
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
        self._working: set[asyncio.Task[None]] = set()
        self._turn: asyncio.Task[None] | None = None

    async def submit(self, command: C) -> R:
        answer: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((command, answer))
        if self._turn is None:
            self._begin()
        return await answer

    def pass_turn(self) -> None:
        """For ``serve``: whatever is still to be done for this batch, the next one may begin."""
        if self._turn is asyncio.current_task():
            self._turn = None
            if self._waiting:
                self._begin()

    async def close(self) -> None:
        """Waits until everything submitted is answered."""
        while self._working:
            await asyncio.wait(self._working)

    def _begin(self) -> None:
        self._turn = asyncio.create_task(self._work())
        self._working.add(self._turn)

    async def _work(self) -> None:
        batch = self._waiting[: self._limit]
        del self._waiting[: self._limit]
        try:
            await self._answer([each for each in batch if not each[1].done()])
            if self._idle is not None and not self._waiting and len(self._working) == 1:
                await self._idle()
        finally:
            self.pass_turn()
            self._working.discard(asyncio.current_task())

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
