"""Hears what other processes changed. Optional: without it, everything cached is a second old at most."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

KEYS_CHANGED = "cuebx_keys"
CATALOG_CHANGED = "cuebx_catalog"
OUTBOX_FILLED = "cuebx_outbox"
RETRY = 1.0

log = structlog.get_logger(__name__)


class Listener:
    """Holds one connection, and calls what is registered for a channel with each payload.

    Where that is lost, it looks for another one every ``retry`` seconds.
    """

    def __init__(
        self, engine: AsyncEngine, channels: Mapping[str, Callable[[str], None]], *, retry: float = RETRY
    ) -> None:
        self._engine = engine
        self._channels = channels
        self._retry = retry
        self._task: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        """Set while it hears."""

    def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again
                log.warning("listening for changes failed, trying again", error=type(error).__name__)
            await asyncio.sleep(self._retry)

    async def _listen(self) -> None:
        lost = asyncio.Event()
        async with self._engine.connect() as connection:
            raw = await connection.get_raw_connection()
            driver: Any = raw.driver_connection
            driver.add_termination_listener(lambda _: lost.set())
            for channel in self._channels:
                await driver.add_listener(channel, self._hear)
            try:
                self.ready.set()
                await lost.wait()
            finally:
                self.ready.clear()
                await connection.invalidate()  # a connection that listened goes back to no pool

    def _hear(self, _connection: object, _pid: int, channel: str, payload: object) -> None:
        self._channels[channel](str(payload))
