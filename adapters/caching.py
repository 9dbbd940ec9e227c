"""A small cache of what may be a moment old, read once however many ask at the same time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class AgeingCache(Generic[K, V]):
    """Keeps what ``load`` finds for ``age`` seconds of ``monotonic``, counted from when it began to look.

    What is not found (None), and what fails, is not kept. ``forget`` also voids what is being loaded.
    """

    def __init__(
        self,
        load: Callable[[K], Awaitable[V | None]],
        monotonic: Callable[[], float],
        *,
        age: float,
        size: int = 50_000,
    ) -> None:
        self._load = load
        self._monotonic = monotonic
        self._age = age
        self._size = size
        self._kept: dict[K, tuple[float, V]] = {}
        self._loading: dict[K, asyncio.Task[V | None]] = {}

    def peek(self, key: K) -> V | None:
        """What is kept and not too old, without looking for it."""
        kept = self._kept.get(key)
        return kept[1] if kept is not None and self._monotonic() - kept[0] < self._age else None

    async def get(self, key: K) -> V | None:
        kept = self.peek(key)
        if kept is not None:
            return kept
        loading = self._loading.get(key)
        if loading is None:
            loading = asyncio.create_task(self._look(key))
            self._loading[key] = loading
            loading.add_done_callback(lambda task: self._done(key, task))
        return await asyncio.shield(loading)

    def forget(self, key: K | None = None) -> None:
        """``key``, or everything."""
        if key is None:
            self._kept.clear()
            self._loading.clear()
        else:
            self._kept.pop(key, None)
            self._loading.pop(key, None)

    async def _look(self, key: K) -> V | None:
        began = self._monotonic()
        value = await self._load(key)
        if value is not None and self._loading.get(key) is asyncio.current_task():
            if len(self._kept) >= self._size:
                self._kept.clear()
            self._kept[key] = (began, value)
        return value

    def _done(self, key: K, task: asyncio.Task[V | None]) -> None:
        if self._loading.get(key) is task:
            del self._loading[key]
        if not task.cancelled():
            task.exception()  # whoever asked was told; a task whose askers all left must not complain
