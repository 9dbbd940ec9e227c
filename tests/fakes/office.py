"""A seller's books in memory: one workspace with one account, and whatever makes and finds keys."""

from dataclasses import dataclass, field

from application.keys.authenticate import Authenticate
from application.keys.keys import CreateKey, ListKeys, NewKey, RevokeKey
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.keys.key import KeyKind
from domain.usage.account import Account
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON, SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.keyring import FakeDirectory, FakeKeyring, NotedUses
from tests.fakes.unit_of_work import FakeUnitOfWork

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
        self.create_key = CreateKey(self.work, self.clock, self.new_id, self.secret)
        self.revoke_key = RevokeKey(self.work, self.clock)
        self.list_keys = ListKeys(self.work)

    def secret(self, count: int) -> bytes:
        """Another one each time."""
        return self.new_id().bytes * (count // 16)

    async def key(self, kind: KeyKind = KeyKind.LIVE) -> NewKey:
        account = None if kind is KeyKind.SERVICE else self.account.id
        return await self.create_key(kind, name="production", account=account)
