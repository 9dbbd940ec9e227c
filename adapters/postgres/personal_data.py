from collections.abc import Collection
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.audit_log import entry_from
from adapters.postgres.base import table
from adapters.postgres.identities import SqlLinkedIdentities
from adapters.postgres.invitations import invitation_from
from adapters.postgres.keys import key_from
from adapters.postgres.members import membership_from
from adapters.postgres.records import (
    AccountRecord,
    AuditEntryRecord,
    CodeRecord,
    DeadLetterRecord,
    IdentityRecord,
    InvitationRecord,
    KeyRecord,
    MemberRecord,
    QueuedRunRecord,
    RecoveryCodeRecord,
    RefreshTokenRecord,
    RunRecord,
    SessionRecord,
    UserRecord,
    WorkspaceRecord,
)
from adapters.postgres.users import session_from, user_from
from application.identity.personal_data import Held, PersonalData
from domain.identity.user import User
from domain.ids import UserId
from domain.workspaces.workspace import Kind

_user = table(UserRecord)
_runs = [table(each) for each in (RunRecord, QueuedRunRecord)]
_account = table(AccountRecord)
_workspace = table(WorkspaceRecord)
_session = table(SessionRecord)
_member = table(MemberRecord)
_invitation = table(InvitationRecord)
_entry = table(AuditEntryRecord)
_letter = table(DeadLetterRecord)
_PROOFS = [
    table(each)
    for each in (SessionRecord, RefreshTokenRecord, CodeRecord, RecoveryCodeRecord, IdentityRecord)
]


def _own_accounts(user: UserId) -> sa.Select[tuple[UUID]]:
    """Of the personal workspace."""
    return (
        sa.select(_account.c.id)
        .join_from(_account, _workspace, _account.c.workspace_id == _workspace.c.id)
        .join(_member, _member.c.workspace_id == _workspace.c.id)
        .where(_workspace.c.kind == Kind.PERSONAL, _member.c.user_id == user)
    )


class SqlPersonalData(PersonalData):
    def __init__(self, session: AsyncSession) -> None:
        self._tx = session

    async def held(self, user: User) -> Held:
        made = sa.select(KeyRecord).where(KeyRecord.created_by == user.id).order_by(KeyRecord.id)
        return Held(
            user=user,
            sessions=[session_from(row) for row in await self._rows(_session, "id", user_id=user.id)],
            identities=await SqlLinkedIdentities(self._tx).of(user.id),
            memberships=[
                membership_from(row) for row in await self._rows(_member, "workspace_id", user_id=user.id)
            ],
            invitations=[
                invitation_from(row) for row in await self._rows(_invitation, "id", email_key=user.email.key)
            ],
            keys=[key_from(each) for each in await self._tx.scalars(made)],
            entries=[entry_from(row) for row in await self._rows(_entry, "id", actor_id=user.id)],
        )

    async def due(self, now: datetime, *, but: Collection[UserId]) -> User | None:
        wanted = (
            sa.select(_user)
            .where(_user.c.deletes_at <= now, _user.c.erased_at.is_(None), _user.c.id.not_in(but))
            .order_by(_user.c.deletes_at)
            .limit(1)
            .with_for_update(key_share=True, skip_locked=True)
        )
        row = (await self._tx.execute(wanted)).mappings().one_or_none()
        return None if row is None else user_from(row)

    async def erase(self, user: User, at: datetime) -> None:
        for each in _PROOFS:
            await self._tx.execute(sa.delete(each).where(each.c.user_id == user.id))
        await self._tx.execute(sa.delete(_invitation).where(_invitation.c.email_key == user.email.key))
        named = (sa.func.strpos(_letter.c.body, address) > 0 for address in {user.email.text, user.email.key})
        await self._tx.execute(sa.delete(_letter).where(sa.or_(*named)))
        for run in _runs:
            await self._tx.execute(sa.delete(run).where(run.c.account_id.in_(_own_accounts(user.id))))
        await self._tx.execute(
            sa.update(_user)
            .where(_user.c.id == user.id)
            .values(
                email=None,
                email_key=None,
                name="",
                password_hash=None,
                operator=False,
                deletes_at=None,
                erased_at=at,
                totp_secret=None,
                totp_enabled_at=None,
                totp_last_step=None,
            )
        )

    async def _rows(self, of: sa.Table, order: str, **named: object) -> list[sa.RowMapping]:
        conditions: list[sa.ColumnElement[Any]] = [of.c[name] == value for name, value in named.items()]
        wanted = sa.select(of).where(*conditions).order_by(of.c[order])
        return list((await self._tx.execute(wanted)).mappings())
