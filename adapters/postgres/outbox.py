from collections.abc import Collection, Sequence
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from uuid_utils.compat import uuid7

from adapters.postgres.base import table
from adapters.postgres.codec import encode_json
from adapters.postgres.faults import reaching
from adapters.postgres.listener import OUTBOX_FILLED
from adapters.postgres.records import OutboxRecord
from application.events.ports import Claimed, Envelope, OutboxQueue, Replays
from application.ports import Outbox
from domain.events import DeadLetter, Event, EventId
from domain.ids import WorkspaceId

CLAIM = timedelta(seconds=15)
"""How long a relay may take to publish a batch. What a dead one had is published again after that."""

_outbox = table(OutboxRecord)
_NOW = sa.func.clock_timestamp()
RING = sa.select(sa.func.pg_notify(OUTBOX_FILLED, ""))
# Relays take turns in choosing, and not in publishing. Any number that nothing else on the database locks.
_TURN = sa.text(f"SELECT pg_advisory_xact_lock({0x6375656F7574})")


def message_row(event: Event) -> dict[str, Any]:
    """A row of the outbox, but for its time."""
    return {
        "id": uuid7(),
        "kind": event.kind,
        "version": event.version,
        "workspace_id": event.workspace,
        "body": encode_json(event),
    }


class SqlOutbox(Outbox, Replays):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, *events: Event) -> None:
        if not events:
            return
        rows = [{**message_row(each), "occurred_at": _NOW} for each in events]
        await self._session.execute(sa.insert(_outbox).values(rows))
        await self._session.execute(RING)

    async def again(self, letter: DeadLetter) -> None:
        await self._session.execute(
            sa.insert(_outbox).values(
                id=letter.id,
                kind=letter.kind,
                version=letter.version,
                workspace_id=letter.workspace,
                consumer=letter.consumer,
                occurred_at=letter.occurred_at,
                body=letter.body,
            )
        )
        await self._session.execute(RING)


def _free(row: sa.FromClause) -> sa.ColumnElement[bool]:
    return row.c.claimed_until.is_(None) | (row.c.claimed_until <= _NOW)


def _oldest(limit: int) -> sa.Select[tuple[int]]:
    """Not what comes behind something of the same workspace that another relay is publishing."""
    before = _outbox.alias("before")
    held_up = sa.exists().where(
        before.c.workspace_id == _outbox.c.workspace_id,
        before.c.position < _outbox.c.position,
        before.c.claimed_until > _NOW,
    )
    return (
        sa.select(_outbox.c.position)
        .where(_free(_outbox), ~held_up)
        .order_by(_outbox.c.position)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )


class SqlOutboxQueue(OutboxQueue):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def claim(self, limit: int) -> Sequence[Claimed]:
        chosen = _oldest(limit).cte("chosen")
        claim = (
            sa.update(_outbox)
            .where(_outbox.c.position == chosen.c.position)
            .values(claimed_until=_NOW + CLAIM)
            .returning(*_outbox.c)
        )
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(_TURN)
                rows = (await connection.execute(claim)).mappings().all()
        return [Claimed(row["position"], _envelope(row)) for row in sorted(rows, key=_position)]

    async def remove(self, positions: Collection[int]) -> None:
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(sa.delete(_outbox).where(_outbox.c.position.in_(positions)))

    async def give_back(self, positions: Collection[int]) -> None:
        free = sa.update(_outbox).where(_outbox.c.position.in_(positions)).values(claimed_until=None)
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(free)


def _position(row: sa.RowMapping) -> int:
    position: int = row["position"]
    return position


def _envelope(row: sa.RowMapping) -> Envelope:
    return Envelope(
        id=EventId(row["id"]),
        kind=row["kind"],
        version=row["version"],
        workspace=None if row["workspace_id"] is None else WorkspaceId(row["workspace_id"]),
        occurred_at=row["occurred_at"],
        body=row["body"],
        consumer=row["consumer"],
    )
