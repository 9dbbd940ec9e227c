from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.base import table
from adapters.postgres.faults import reaching
from adapters.postgres.records import SuppressionRecord
from application.notifications.suppressions import Suppression, Suppressions

_row = table(SuppressionRecord)


class SqlSuppressions(Suppressions):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, email: str, reason: str) -> None:
        new = insert(_row).values(email_key=email, reason=reason, at=sa.func.now()).on_conflict_do_nothing()
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(new)

    async def has(self, email: str) -> bool:
        with reaching():
            async with self._engine.connect() as connection:
                found = await connection.scalar(sa.select(sa.exists().where(_row.c.email_key == email)))
        return bool(found)

    async def remove(self, email: str) -> bool:
        gone = sa.delete(_row).where(_row.c.email_key == email).returning(_row.c.email_key)
        with reaching():
            async with self._engine.begin() as connection:
                return await connection.scalar(gone) is not None

    async def page(self, *, after: str | None, limit: int) -> Sequence[Suppression]:
        wanted = sa.select(_row).order_by(_row.c.email_key).limit(limit)
        if after is not None:
            wanted = wanted.where(_row.c.email_key > after)
        with reaching():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted)).mappings().all()
        return [Suppression(row["email_key"], row["reason"], row["at"]) for row in rows]
