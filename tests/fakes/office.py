"""A seller's books in memory: one workspace with one account, and whatever makes and finds keys."""

from dataclasses import dataclass, field, replace

from application.actor import Member, Operator, Person
from application.audit.record import Record
from application.keys.authenticate import Authenticate
from application.keys.keys import (
    ChangeKey,
    CreateKey,
    ListKeys,
    NewKey,
    RevokeKey,
    RevokeKeys,
    RotateKey,
    SaveKey,
    TellKey,
)
from application.notifications.post import PostMail
from domain.email import parse_email
from domain.identity.user import User
from domain.ids import AccountId, PlanRef, SessionId, UserId, WorkspaceId
from domain.keys.key import KeyKind
from domain.usage.account import Account
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON, SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.keyring import FakeDirectory, FakeKeyring, NotedUses
from tests.fakes.people import PlainSecrecy
from tests.fakes.unit_of_work import FakeUnitOfWork

OPERATOR = Operator()
TEAM = PlanRef("api", "team", 1)


@dataclass
class FakeOffice:
    plan: PlanRef = TEAM
    clock: SetClock = field(default_factory=SetClock)
    new_id: CountedIds = field(default_factory=CountedIds)
    work: FakeUnitOfWork = field(default_factory=FakeUnitOfWork)
    workspace: Workspace = field(init=False)
    account: Account = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = Workspace(
            id=WorkspaceId(self.new_id()), name="Acme", kind=Kind.TEAM, created_at=NOON
        )
        self.account = Account(
            id=AccountId(self.new_id()),
            workspace=self.workspace.id,
            plan=self.plan,
            frozen=False,
            anchor=NOON,
        )
        self.work.workspaces[self.workspace.id] = self.workspace
        self.work.accounts[self.account.id] = self.account
        self.keyring = FakeKeyring(self.work)
        self.directory = FakeDirectory(self.work)
        self.uses = NotedUses()
        self.authenticate = Authenticate(self.keyring, self.directory, self.clock, self.uses)
        self.record = Record(self.clock, self.new_id)
        tell = TellKey(PostMail(PlainSecrecy()))
        self.create_key = CreateKey(self.work, self.clock, self.new_id, self.secret, self.record, tell)
        self.save_key = SaveKey(self.work, self.record, tell)
        self.revoke_key = RevokeKey(self.save_key, self.clock)
        self.rotate_key = RotateKey(self.save_key, self.clock, self.secret)
        self.change_key = ChangeKey(self.save_key)
        self.revoke_keys = RevokeKeys(self.clock, self.record)
        self.list_keys = ListKeys(self.work)

    def secret(self, count: int) -> bytes:
        """Another one each time."""
        return self.new_id().bytes * (count // 16)

    async def key(self, kind: KeyKind = KeyKind.LIVE) -> NewKey:
        account = None if kind is KeyKind.SERVICE else self.account.id
        return await self.create_key(OPERATOR, kind, name="production", account=account)

    def joined(self, role: Role = Role.MEMBER, *, name: str = "Ada") -> Member:
        """Somebody with an account who is seated in the workspace."""
        member = self.member(role)
        self.sign_up(member.person.user, name)
        return member

    def stranger(self, name: str = "Eve") -> Person:
        """Somebody with an account who belongs to nothing here."""
        user = self.sign_up(UserId(self.new_id()), name)
        return Person(user=user.id, session=SessionId(self.new_id()), address="203.0.113.9")

    def sign_up(self, id: UserId, name: str = "Ada") -> User:
        user = User(
            id=id,
            email=parse_email(f"{id.hex}@example.org"),
            name=name,
            password=None,
            created_at=NOON,
            confirmed_at=NOON,
        )
        self.work.users[id] = user
        return user

    def seat(self, seats: int) -> None:
        self.workspace = replace(self.workspace, seats=seats)
        self.work.workspaces[self.workspace.id] = self.workspace

    def member(self, role: Role = Role.ADMIN, *, workspace: WorkspaceId | None = None) -> Member:
        """Somebody new, of this workspace if no other is named."""
        person = Person(user=UserId(self.new_id()), session=SessionId(self.new_id()), address="203.0.113.9")
        member = Member(person=person, workspace=workspace or self.workspace.id, role=role)
        self.work.members[member.workspace, person.user] = Membership(
            workspace=member.workspace, user=person.user, role=role, joined_at=NOON
        )
        return member
