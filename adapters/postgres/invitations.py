from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import InvitationRecord
from application.workspaces.ports import Invitations
from domain.email import Email
from domain.ids import InvitationId, UserId, WorkspaceId
from domain.workspaces.errors import InvitationMissing
from domain.workspaces.invitation import Invitation
from domain.workspaces.role import Role

_invitation = table(InvitationRecord)


class SqlInvitations(Invitations):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, invitation: Invitation) -> None:
        await self._session.execute(sa.insert(_invitation).values(_values(invitation)))

    async def get(self, workspace: WorkspaceId, id: InvitationId) -> Invitation:
        wanted = sa.select(_invitation).where(_invitation.c.workspace_id == workspace, _invitation.c.id == id)
        row = (await self._session.execute(wanted.with_for_update(key_share=True))).mappings().one_or_none()
        if row is None:
            raise InvitationMissing
        return invitation_from(row)

    async def by_digest(self, digest: bytes) -> Invitation | None:
        wanted = sa.select(_invitation).where(_invitation.c.digest == digest)
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        return None if row is None else invitation_from(row)

    async def save(self, invitation: Invitation) -> None:
        await self._session.execute(
            sa.update(_invitation)
            .where(_invitation.c.workspace_id == invitation.workspace, _invitation.c.id == invitation.id)
            .values(_values(invitation))
        )

    async def open(self, workspace: WorkspaceId) -> Sequence[Invitation]:
        wanted = (
            sa.select(_invitation)
            .where(
                _invitation.c.workspace_id == workspace,
                _invitation.c.accepted_at.is_(None),
                _invitation.c.revoked_at.is_(None),
            )
            .order_by(_invitation.c.id)
        )
        return [invitation_from(row) for row in (await self._session.execute(wanted)).mappings()]


def _values(invitation: Invitation) -> dict[str, object]:
    return {
        "workspace_id": invitation.workspace,
        "id": invitation.id,
        "email": invitation.email.text,
        "email_key": invitation.email.key,
        "role": invitation.role,
        "digest": invitation.digest,
        "invited_by": invitation.invited_by,
        "created_at": invitation.created_at,
        "expires_at": invitation.expires_at,
        "accepted_at": invitation.accepted_at,
        "revoked_at": invitation.revoked_at,
    }


def invitation_from(row: sa.RowMapping) -> Invitation:
    return Invitation(
        workspace=WorkspaceId(row["workspace_id"]),
        id=InvitationId(row["id"]),
        email=Email(row["email"], row["email_key"]),
        role=Role(row["role"]),
        digest=row["digest"],
        invited_by=UserId(row["invited_by"]),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        accepted_at=row["accepted_at"],
        revoked_at=row["revoked_at"],
    )
