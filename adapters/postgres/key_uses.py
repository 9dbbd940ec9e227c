import asyncio
import logging
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.faults import reaching
from adapters.postgres.records import KeyRecord
from application.keys.ports import KeyUses
from domain.errors import Unavailable
from domain.ids import KeyId

EVERY = 10.0
"""Seconds between two writings. What a process that dies has not written is lost: it only informs."""

logger = logging.getLogger(__name__)
_SAVE = (
    sa.update(KeyRecord)
    .where(KeyRecord.id == sa.bindparam("key"))
    .values(last_used_at=sa.func.greatest(KeyRecord.last_used_at, sa.bindparam("at")))
)


class SqlKeyUses(KeyUses):
    def __init__(self, sessions: async_sessionmaker[AsyncSession], *, every: float = EVERY) -> None:
        self._sessions = sessions
        self._every = every
        self._latest: dict[KeyId, datetime] = {}
        self._writer: asyncio.Task[None] | None = None

    def note(self, key: KeyId, at: datetime) -> None:
        self._latest[key] = at
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_later())

    async def _write_later(self) -> None:
        await asyncio.sleep(self._every)
        self._writer = None
        await self.write()

    async def write(self) -> None:
        """What was noted since the last time. Where the database is away, it is noted for the next."""
        latest, self._latest = self._latest, {}
        if not latest:
            return
        rows = [{"key": key, "at": at} for key, at in sorted(latest.items())]
        try:
            with reaching():
                async with self._sessions.begin() as session:
                    connection = await session.connection()
                    await connection.execute(_SAVE, rows)
        except Unavailable:
            logger.warning("when keys were last used could not be written; it is tried again")
            self._latest = latest | self._latest

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.cancel()
        await self.write()
