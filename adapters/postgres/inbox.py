from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import DeadLetterRecord, InboxRecord
from application.events.ports import DeadLetters, Inbox
from domain.events import DeadLetter, DeadLetterMissing, EventId
from domain.ids import WorkspaceId

_inbox = table(InboxRecord)
_letter = table(DeadLetterRecord)
# Made once: to build it costs as much as to run it.
_MARK = (
    insert(_inbox)
    .values(consumer=sa.bindparam("by"), event_id=sa.bindparam("event"), handled_at=sa.func.now())
    .on_conflict_do_nothing()
    .returning(_inbox.c.event_id)
)
# Whether a dead letter is the first is decided by one transaction at a time.
_FIRST = sa.text(f"SELECT pg_advisory_xact_lock({0x637565646561})")


class SqlInbox(Inbox):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, consumer: str, event: EventId) -> bool:
        return await self._session.scalar(_MARK, {"by": consumer, "event": event}) is not None

    async def has(self, consumer: str, event: EventId) -> bool:
        wanted = sa.exists().where(_inbox.c.consumer == consumer, _inbox.c.event_id == event)
        return bool(await self._session.scalar(sa.select(wanted)))


class SqlDeadLetters(DeadLetters):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, letter: DeadLetter) -> bool:
        await self._session.execute(_FIRST)
        first = not await self._session.scalar(sa.select(sa.exists().select_from(_letter)))
        values = {
            "consumer": letter.consumer,
            "id": letter.id,
            "kind": letter.kind,
            "version": letter.version,
            "workspace_id": letter.workspace,
            "occurred_at": letter.occurred_at,
            "body": letter.body,
            "reason": letter.reason,
            "attempts": letter.attempts,
            "died_at": letter.died_at,
        }
        await self._session.execute(insert(_letter).values(values).on_conflict_do_nothing())
        return first

    async def get(self, consumer: str, event: EventId) -> DeadLetter:
        wanted = (
            sa.select(_letter)
            .where(_letter.c.consumer == consumer, _letter.c.id == event)
            .with_for_update(key_share=True)
        )
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        if row is None:
            raise DeadLetterMissing
        return _letter_from(row)

    async def remove(self, letter: DeadLetter) -> None:
        gone = sa.delete(_letter).where(_letter.c.consumer == letter.consumer, _letter.c.id == letter.id)
        await self._session.execute(gone)

    async def page(
        self, *, consumer: str | None, kind: str | None, after: tuple[datetime, EventId] | None, limit: int
    ) -> Sequence[DeadLetter]:
        wanted = sa.select(_letter).order_by(_letter.c.died_at, _letter.c.id).limit(limit)
        if consumer is not None:
            wanted = wanted.where(_letter.c.consumer == consumer)
        if kind is not None:
            wanted = wanted.where(_letter.c.kind == kind)
        if after is not None:
            wanted = wanted.where(sa.tuple_(_letter.c.died_at, _letter.c.id) > after)
        return [_letter_from(row) for row in (await self._session.execute(wanted)).mappings()]


def _letter_from(row: sa.RowMapping) -> DeadLetter:
    return DeadLetter(
        consumer=row["consumer"],
        id=EventId(row["id"]),
        kind=row["kind"],
        version=row["version"],
        workspace=None if row["workspace_id"] is None else WorkspaceId(row["workspace_id"]),
        occurred_at=row["occurred_at"],
        body=row["body"],
        reason=row["reason"],
        attempts=row["attempts"],
        died_at=row["died_at"],
    )
