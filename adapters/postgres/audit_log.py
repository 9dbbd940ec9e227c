from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import AuditEntryRecord
from application.audit.ports import AuditLog, Filter
from domain.audit.entry import ActorKind, Entry
from domain.ids import EntryId, WorkspaceId

_entry = table(AuditEntryRecord)


class SqlAuditLog(AuditLog):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, entry: Entry) -> None:
        await self._session.execute(
            sa.insert(_entry).values(
                workspace_id=entry.workspace,
                id=entry.id,
                at=entry.at,
                actor_kind=entry.actor_kind,
                actor_id=entry.actor,
                address=entry.address,
                action=entry.action,
                target=entry.target,
                before=None if entry.before is None else dict(entry.before),
                after=None if entry.after is None else dict(entry.after),
            )
        )

    async def of(
        self, workspace: WorkspaceId, wanted: Filter, *, after: EntryId | None, limit: int
    ) -> Sequence[Entry]:
        conditions = [_entry.c.workspace_id == workspace]
        if wanted.action is not None:
            conditions.append(_entry.c.action == wanted.action)
        if wanted.actor is not None:
            conditions.append(_entry.c.actor_id == wanted.actor)
        if wanted.start is not None:
            conditions.append(_entry.c.at >= wanted.start)
        if wanted.end is not None:
            conditions.append(_entry.c.at < wanted.end)
        if after is not None:
            conditions.append(_entry.c.id < after)
        found = sa.select(_entry).where(*conditions).order_by(_entry.c.id.desc()).limit(limit)
        return [entry_from(row) for row in (await self._session.execute(found)).mappings()]


def entry_from(row: sa.RowMapping) -> Entry:
    return Entry(
        workspace=WorkspaceId(row["workspace_id"]),
        id=EntryId(row["id"]),
        at=row["at"],
        actor_kind=ActorKind(row["actor_kind"]),
        actor=row["actor_id"],
        address=row["address"],
        action=row["action"],
        target=row["target"],
        before=row["before"],
        after=row["after"],
    )
