from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.caching import AgeingCache
from adapters.postgres.base import table
from adapters.postgres.directory import AGE
from adapters.postgres.faults import reaching
from adapters.postgres.records import MemberRecord, SessionRecord, UserRecord, WorkspaceRecord
from application.identity.ports import LiveSessions
from application.ports import Clock
from application.workspaces.ports import MemberDirectory, Members, MemberShown
from domain.ids import SessionId, UserId, WorkspaceId
from domain.workspaces.errors import MemberMissing
from domain.workspaces.member import Membership
from domain.workspaces.role import Role

_member = table(MemberRecord)
_user = table(UserRecord)
_workspace = table(WorkspaceRecord)
_session = table(SessionRecord)
_ENABLED = (
    sa.select(_member)
    .join_from(_member, _workspace, _member.c.workspace_id == _workspace.c.id)
    .where(_member.c.disabled_at.is_(None), _workspace.c.deleted_at.is_(None))
)


class SqlMembers(Members):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, member: Membership) -> None:
        await self._session.execute(sa.insert(_member).values(_values(member)))

    async def find(self, workspace: WorkspaceId, user: UserId) -> Membership | None:
        row = (await self._session.execute(sa.select(_member).where(*_is(workspace, user)))).mappings()
        found = row.one_or_none()
        return None if found is None else membership_from(found)

    async def get(self, workspace: WorkspaceId, user: UserId) -> Membership:
        wanted = sa.select(_member).where(*_is(workspace, user)).with_for_update(key_share=True)
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        if row is None:
            raise MemberMissing
        return membership_from(row)

    async def save(self, member: Membership) -> None:
        changed = sa.update(_member).where(*_is(member.workspace, member.user))
        await self._session.execute(changed.values(_values(member)))

    async def remove(self, workspace: WorkspaceId, user: UserId) -> None:
        await self._session.execute(sa.delete(_member).where(*_is(workspace, user)))

    async def enabled(self, workspace: WorkspaceId) -> int:
        wanted = sa.select(sa.func.count()).where(
            _member.c.workspace_id == workspace, _member.c.disabled_at.is_(None)
        )
        return (await self._session.execute(wanted)).scalar_one()

    async def has(self, workspace: WorkspaceId, email_key: str) -> bool:
        wanted = (
            sa.select(_member.c.user_id)
            .join_from(_member, _user, _member.c.user_id == _user.c.id)
            .where(_member.c.workspace_id == workspace, _user.c.email_key == email_key)
        )
        return await self._session.scalar(wanted) is not None

    async def shown(
        self, workspace: WorkspaceId, *, after: UserId | None, limit: int
    ) -> Sequence[MemberShown]:
        wanted = (
            sa.select(_member, _user.c.name, _user.c.email)
            .join_from(_member, _user, _member.c.user_id == _user.c.id)
            .where(_member.c.workspace_id == workspace)
            .order_by(_member.c.user_id)
            .limit(limit)
        )
        if after is not None:
            wanted = wanted.where(_member.c.user_id > after)
        rows = (await self._session.execute(wanted)).mappings()
        return [MemberShown(membership_from(row), row["name"], row["email"]) for row in rows]

    async def admins(self, workspace: WorkspaceId) -> Sequence[str]:
        wanted = (
            sa.select(_user.c.email)
            .join_from(_member, _user, _member.c.user_id == _user.c.id)
            .where(
                _member.c.workspace_id == workspace,
                _member.c.role.in_([Role.OWNER, Role.ADMIN]),
                _member.c.disabled_at.is_(None),
                _user.c.email.is_not(None),
            )
            .order_by(_member.c.user_id)
        )
        return list(await self._session.scalars(wanted))

    async def named(self, workspace: WorkspaceId) -> str:
        wanted = sa.select(_workspace.c.name).where(_workspace.c.id == workspace)
        return str(await self._session.scalar(wanted))

    async def of_user(self, user: UserId) -> Sequence[Membership]:
        wanted = _ENABLED.where(_member.c.user_id == user).order_by(_member.c.workspace_id)
        return [membership_from(row) for row in (await self._session.execute(wanted)).mappings()]


def _is(workspace: WorkspaceId, user: UserId) -> tuple[sa.ColumnElement[bool], ...]:
    return _member.c.workspace_id == workspace, _member.c.user_id == user


def _values(member: Membership) -> dict[str, object]:
    return {
        "workspace_id": member.workspace,
        "user_id": member.user,
        "role": member.role,
        "joined_at": member.joined_at,
        "disabled_at": member.disabled_at,
    }


def membership_from(row: sa.RowMapping) -> Membership:
    return Membership(
        workspace=WorkspaceId(row["workspace_id"]),
        user=UserId(row["user_id"]),
        role=Role(row["role"]),
        joined_at=row["joined_at"],
        disabled_at=row["disabled_at"],
    )


class SqlMemberDirectory(MemberDirectory):
    def __init__(self, sessions: async_sessionmaker[AsyncSession], monotonic: Callable[[], float]) -> None:
        self._sessions = sessions
        self._cache = AgeingCache(self._load, monotonic, age=AGE)

    async def role(self, workspace: WorkspaceId, user: UserId) -> Role | None:
        return await self._cache.get((workspace, user))

    async def _load(self, place: tuple[WorkspaceId, UserId]) -> Role | None:
        workspace, user = place
        wanted = _ENABLED.where(_member.c.workspace_id == workspace, _member.c.user_id == user)
        with reaching():
            async with self._sessions() as session:
                row = (await session.execute(wanted)).mappings().one_or_none()
        return None if row is None else Role(row["role"])


class SqlLiveSessions(LiveSessions):
    def __init__(
        self, sessions: async_sessionmaker[AsyncSession], clock: Clock, monotonic: Callable[[], float]
    ) -> None:
        self._sessions = sessions
        self._clock = clock
        self._cache = AgeingCache(self._load, monotonic, age=AGE)

    async def live(self, user: UserId, session: SessionId) -> bool:
        return bool(await self._cache.get((user, session)))

    async def _load(self, key: tuple[UserId, SessionId]) -> bool | None:
        user, id = key
        wanted = sa.select(_session.c.id).where(
            _session.c.user_id == user,
            _session.c.id == id,
            _session.c.ended_at.is_(None),
            _session.c.expires_at > self._clock.now(),
        )
        with reaching():
            async with self._sessions() as session:
                return await session.scalar(wanted) is not None
