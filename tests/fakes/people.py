"""People without a database, and what their sign-in needs without threads, mails and keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from application.identity.ports import (
    AccessTokens,
    Codes,
    LiveSessions,
    Passwords,
    Secrecy,
    Throttle,
    Users,
    UserSessions,
)
from application.workspaces.ports import Invitations, Members, MemberShown
from domain.identity.code import Code, Purpose
from domain.identity.errors import AccessTokenRefused, TooManyAttempts
from domain.identity.session import RefreshToken, Session, SessionMissing
from domain.identity.user import User, UserMissing
from domain.ids import InvitationId, SessionId, UserId, WorkspaceId
from domain.workspaces.errors import InvitationMissing, MemberMissing
from domain.workspaces.invitation import Invitation
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Workspace


@dataclass
class FakeUsers(Users):
    rows: dict[UserId, User]

    async def add(self, user: User) -> bool:
        if await self.by_email(user.email.key) is not None:
            return False
        self.rows[user.id] = user
        return True

    async def get(self, id: UserId, *, lock: bool = True) -> User:
        if id not in self.rows:
            raise UserMissing
        return self.rows[id]

    async def by_email(self, key: str, *, lock: bool = True) -> User | None:
        return next((each for each in self.rows.values() if each.email.key == key), None)

    async def save(self, user: User) -> None:
        self.rows[user.id] = user

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        return [self.rows[id] for id in sorted(self.rows) if after is None or id > after][:limit]

    async def operators(self) -> Sequence[User]:
        return [self.rows[id] for id in sorted(self.rows) if self.rows[id].operator]


@dataclass
class FakeCodes(Codes):
    rows: dict[tuple[UserId, Purpose], Code]

    async def put(self, code: Code) -> None:
        self.rows[code.user, code.purpose] = code

    async def get(self, user: UserId, purpose: Purpose) -> Code | None:
        return self.rows.get((user, purpose))

    async def remove(self, user: UserId, purpose: Purpose) -> None:
        self.rows.pop((user, purpose), None)


@dataclass
class FakeUserSessions(UserSessions):
    rows: dict[SessionId, Session]
    tokens: dict[bytes, RefreshToken]

    async def add(self, session: Session) -> None:
        self.rows[session.id] = session

    async def get(self, user: UserId, id: SessionId) -> Session:
        found = self.rows.get(id)
        if found is None or found.user != user:
            raise SessionMissing
        return found

    async def save(self, session: Session) -> None:
        self.rows[session.id] = session

    async def of(self, user: UserId) -> Sequence[Session]:
        found = [each for each in self.rows.values() if each.user == user and each.ended_at is None]
        return sorted(found, key=lambda each: (each.last_seen_at, each.id), reverse=True)

    async def devices(self, user: UserId) -> frozenset[str]:
        return frozenset(each.device for each in self.rows.values() if each.user == user)

    async def add_token(self, token: RefreshToken) -> None:
        self.tokens[token.digest] = token

    async def token(self, digest: bytes) -> RefreshToken | None:
        return self.tokens.get(digest)

    async def save_token(self, token: RefreshToken) -> None:
        self.tokens[token.digest] = token


@dataclass
class FakeMembers(Members):
    rows: dict[tuple[WorkspaceId, UserId], Membership]
    users: FakeUsers
    workspaces: dict[WorkspaceId, Workspace]

    async def add(self, member: Membership) -> None:
        self.rows[member.workspace, member.user] = member

    async def find(self, workspace: WorkspaceId, user: UserId) -> Membership | None:
        return self.rows.get((workspace, user))

    async def get(self, workspace: WorkspaceId, user: UserId) -> Membership:
        if (workspace, user) not in self.rows:
            raise MemberMissing
        return self.rows[workspace, user]

    async def save(self, member: Membership) -> None:
        self.rows[member.workspace, member.user] = member

    async def remove(self, workspace: WorkspaceId, user: UserId) -> None:
        del self.rows[workspace, user]

    async def enabled(self, workspace: WorkspaceId) -> int:
        return sum(each.enabled for each in self.rows.values() if each.workspace == workspace)

    async def has(self, workspace: WorkspaceId, email_key: str) -> bool:
        user = await self.users.by_email(email_key)
        return user is not None and (workspace, user.id) in self.rows

    async def shown(
        self, workspace: WorkspaceId, *, after: UserId | None, limit: int
    ) -> Sequence[MemberShown]:
        found = [
            MemberShown(each, self.users.rows[each.user].name, self.users.rows[each.user].email.text)
            for each in sorted(self.rows.values(), key=lambda each: each.user)
            if each.workspace == workspace and (after is None or each.user > after)
        ]
        return found[:limit]

    async def named(self, workspace: WorkspaceId) -> str:
        return self.workspaces[workspace].name

    async def admins(self, workspace: WorkspaceId) -> Sequence[str]:
        found = [
            each.user
            for each in self.rows.values()
            if each.workspace == workspace and each.enabled and each.role is not Role.MEMBER
        ]
        return [self.users.rows[user].email.text for user in sorted(found)]

    async def of_user(self, user: UserId) -> Sequence[Membership]:
        found = [each for each in self.rows.values() if each.user == user and each.disabled_at is None]
        return sorted(found, key=lambda each: each.workspace)


@dataclass
class FakeInvitations(Invitations):
    rows: dict[InvitationId, Invitation]

    async def add(self, invitation: Invitation) -> None:
        self.rows[invitation.id] = invitation

    async def get(self, workspace: WorkspaceId, id: InvitationId) -> Invitation:
        found = self.rows.get(id)
        if found is None or found.workspace != workspace:
            raise InvitationMissing
        return found

    async def by_digest(self, digest: bytes) -> Invitation | None:
        return next((each for each in self.rows.values() if each.digest == digest), None)

    async def save(self, invitation: Invitation) -> None:
        self.rows[invitation.id] = invitation

    async def open(self, workspace: WorkspaceId) -> Sequence[Invitation]:
        return [self.rows[id] for id in sorted(self.rows) if self._waiting(workspace, id)]

    def _waiting(self, workspace: WorkspaceId, id: InvitationId) -> bool:
        return self.rows[id].workspace == workspace and self.rows[id].open


@dataclass
class PlainPasswords(Passwords):
    """``work`` counts what a slow hash would have been asked to do."""

    usual: frozenset[str] = frozenset({"correct horse battery"})
    work: int = 0

    async def hash(self, password: str) -> str:
        self.work += 1
        return f"hashed {password}"

    async def verify(self, password: str, hashed: str | None) -> bool:
        self.work += 1
        return hashed == f"hashed {password}"

    def common(self, password: str) -> bool:
        return password in self.usual


class PlainSecrecy(Secrecy):
    def digest(self, purpose: str, text: str) -> bytes:
        return f"{purpose} {text}".encode()

    def seal(self, purpose: str, plain: bytes) -> bytes:
        return purpose.encode() + plain

    def open(self, purpose: str, sealed: bytes) -> bytes:
        if not sealed.startswith(purpose.encode()):
            raise ValueError("that was sealed with another secret")
        return sealed.removeprefix(purpose.encode())


@dataclass
class PlainTokens(AccessTokens):
    issued: dict[str, tuple[UserId, SessionId]] = field(default_factory=dict)

    async def issue(self, user: UserId, session: SessionId) -> str:
        token = f"access {len(self.issued)}"
        self.issued[token] = (user, session)
        return token

    async def read(self, token: str) -> tuple[UserId, SessionId]:
        if token not in self.issued:
            raise AccessTokenRefused
        return self.issued[token]


@dataclass
class CountedTries(Throttle):
    """Refuses what ``used_up`` names."""

    tries: list[tuple[str, str]] = field(default_factory=list)
    used_up: set[str] = field(default_factory=set)

    async def hit(self, what: str, subject: str) -> None:
        if what in self.used_up:
            raise TooManyAttempts(60)
        self.tries.append((what, subject))


@dataclass
class FakeLiveSessions(LiveSessions):
    over: set[SessionId] = field(default_factory=set)

    async def live(self, user: UserId, session: SessionId) -> bool:
        return session not in self.over
