from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.records import WorkspaceRecord
from application.workspaces.ports import Workspaces
from domain.ids import WorkspaceId
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing


class SqlWorkspaces(Workspaces):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, workspace: Workspace) -> None:
        self._session.add(
            WorkspaceRecord(
                id=workspace.id,
                name=workspace.name,
                kind=workspace.kind,
                created_at=workspace.created_at,
                frozen_at=workspace.frozen_at,
            )
        )
        await self._session.flush()

    async def get(self, id: WorkspaceId) -> Workspace:
        record = await self._session.get(WorkspaceRecord, id, with_for_update=True)
        if record is None:
            raise WorkspaceMissing
        return _workspace(record)

    async def save(self, workspace: Workspace) -> None:
        await self._session.execute(
            sa.update(WorkspaceRecord)
            .where(WorkspaceRecord.id == workspace.id)
            .values(name=workspace.name, frozen_at=workspace.frozen_at)
        )

    async def all(self) -> Sequence[Workspace]:
        records = await self._session.scalars(sa.select(WorkspaceRecord).order_by(WorkspaceRecord.id))
        return [_workspace(record) for record in records]


def _workspace(record: WorkspaceRecord) -> Workspace:
    return Workspace(
        id=WorkspaceId(record.id),
        name=record.name,
        kind=Kind(record.kind),
        created_at=record.created_at,
        frozen_at=record.frozen_at,
    )
