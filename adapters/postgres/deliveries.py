"""Messages to consumers where there is no broker: kept, claimed, put off and buried in PostgreSQL."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.batching import Batcher
from adapters.postgres.base import table
from adapters.postgres.faults import reaching
from adapters.postgres.outbox import RING
from adapters.postgres.records import DeliveryRecord
from application.events.ports import Envelope, Publisher, Subscription
from domain.events import EventId
from domain.ids import WorkspaceId

LEASE = timedelta(seconds=15)
"""How long a message is its process's own: lengthened while it acts on it, over soon after it dies."""

_delivery = table(DeliveryRecord)
_NOW = sa.func.clock_timestamp()


@dataclass(frozen=True, slots=True)
class Delivered:
    envelope: Envelope
    attempt: int


class SqlDeliveries(Publisher):
    def __init__(self, engine: AsyncEngine, subscriptions: Sequence[Subscription]) -> None:
        self._engine = engine
        self._subscriptions = subscriptions
        self._removing = Batcher[tuple[str, EventId], None](self._remove)

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        rows = [
            {
                "consumer": consumer,
                "id": each.id,
                "kind": each.kind,
                "version": each.version,
                "workspace_id": each.workspace,
                "occurred_at": each.occurred_at,
                "body": each.body,
                "attempt": 0,
                "due_at": _NOW,
            }
            for each in envelopes
            for consumer in self._consumers(each)
        ]
        if not rows:
            return
        new = insert(_delivery).values(rows).on_conflict_do_nothing()
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(new)
                await connection.execute(RING)

    def _consumers(self, envelope: Envelope) -> Sequence[str]:
        if envelope.consumer is not None:
            return [envelope.consumer]
        return [each.consumer for each in self._subscriptions if envelope.kind in each.kinds]

    async def claim(self, wanted: Subscription, limit: int) -> Sequence[Delivered]:
        """What is due longest, so many; each is this process's own for ``LEASE``."""
        chosen = _due(wanted, limit).cte("chosen")
        claim = (
            sa.update(_delivery)
            .where(_delivery.c.consumer == wanted.consumer, _delivery.c.id == chosen.c.id)
            .values(due_at=_NOW + LEASE)
            .returning(*_delivery.c)
        )
        with reaching():
            async with self._engine.begin() as connection:
                rows = (await connection.execute(claim)).mappings().all()
        return [_delivered(row) for row in sorted(rows, key=lambda row: row["position"])]

    async def keep(self, claimed: Mapping[str, Collection[EventId]]) -> None:
        """For another ``LEASE``."""
        for consumer, ids in claimed.items():
            await self._set(consumer, ids, due_at=_NOW + LEASE)

    async def put_off(self, consumer: str, id: EventId, *, after: timedelta, attempt: int) -> None:
        await self._set(consumer, [id], due_at=_NOW + after, attempt=attempt)

    async def hand_back(self, consumer: str, id: EventId) -> None:
        """For another process to act on at once."""
        await self._set(consumer, [id], due_at=_NOW)

    async def remove(self, consumer: str, id: EventId) -> None:
        """With those that end meanwhile, in one transaction."""
        await self._removing.submit((consumer, id))

    async def _remove(self, done: Sequence[tuple[str, EventId]]) -> list[None]:
        pairs = sa.tuple_(_delivery.c.consumer, _delivery.c.id)
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(sa.delete(_delivery).where(pairs.in_(done)))
        return [None] * len(done)

    async def _set(self, consumer: str, ids: Collection[EventId], **values: object) -> None:
        changed = sa.update(_delivery).where(_delivery.c.consumer == consumer, _delivery.c.id.in_(ids))
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(changed.values(**values))


def _due(wanted: Subscription, limit: int) -> sa.Select[tuple[EventId]]:
    due = (
        sa.select(_delivery.c.id)
        .where(_delivery.c.consumer == wanted.consumer, _delivery.c.due_at <= _NOW)
        .order_by(_delivery.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    if not wanted.ordered:
        return due
    before = _delivery.alias("before")
    first = ~sa.exists().where(
        before.c.consumer == _delivery.c.consumer,
        before.c.workspace_id == _delivery.c.workspace_id,
        before.c.position < _delivery.c.position,
    )
    return due.where(first)


def _delivered(row: sa.RowMapping) -> Delivered:
    envelope = Envelope(
        id=EventId(row["id"]),
        kind=row["kind"],
        version=row["version"],
        workspace=None if row["workspace_id"] is None else WorkspaceId(row["workspace_id"]),
        occurred_at=row["occurred_at"],
        body=row["body"],
    )
    return Delivered(envelope, row["attempt"])
