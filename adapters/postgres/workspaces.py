from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import MemberRecord, WorkspaceRecord
from application.workspaces.ports import Workspaces
from domain.ids import UserId, WorkspaceId
from domain.workspaces.errors import SlugTaken
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing

_workspace = table(WorkspaceRecord)
_member = table(MemberRecord)
_SLUG = "ix_workspace_slug"


class SqlWorkspaces(Workspaces):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, workspace: Workspace) -> None:
        await self._write(sa.insert(_workspace).values(_values(workspace)))

    async def get(self, id: WorkspaceId) -> Workspace:
        wanted = sa.select(_workspace).where(_workspace.c.id == id, _workspace.c.deleted_at.is_(None))
        row = (await self._session.execute(wanted.with_for_update(key_share=True))).mappings().one_or_none()
        if row is None:
            raise WorkspaceMissing
        return _workspace_from(row)

    async def save(self, workspace: Workspace) -> None:
        await self._write(
            sa.update(_workspace).where(_workspace.c.id == workspace.id).values(_values(workspace))
        )

    async def all(self) -> Sequence[Workspace]:
        rows = await self._session.execute(sa.select(_workspace).order_by(_workspace.c.id))
        return [_workspace_from(row) for row in rows.mappings()]

    async def of_user(self, user: UserId) -> Sequence[tuple[Workspace, Role]]:
        wanted = (
            sa.select(_workspace, _member.c.role)
            .join_from(_workspace, _member, _member.c.workspace_id == _workspace.c.id)
            .where(
                _member.c.user_id == user, _member.c.disabled_at.is_(None), _workspace.c.deleted_at.is_(None)
            )
            .order_by(_workspace.c.id)
        )
        rows = (await self._session.execute(wanted)).mappings()
        return [(_workspace_from(row), Role(row["role"])) for row in rows]

    async def _write(self, statement: sa.Insert | sa.Update) -> None:
        """Raises SlugTaken, and leaves the transaction as it was."""
        try:
            async with self._session.begin_nested():
                await self._session.execute(statement)
        except IntegrityError as error:
            if _SLUG not in str(error.orig):
                raise
            raise SlugTaken from None


def _values(workspace: Workspace) -> dict[str, object]:
    return {name: getattr(workspace, name) for name in Workspace.__slots__}


def _workspace_from(row: sa.RowMapping) -> Workspace:
    fields = {name: row[name] for name in Workspace.__slots__}
    return Workspace(**{**fields, "id": WorkspaceId(row["id"]), "kind": Kind(row["kind"])})
