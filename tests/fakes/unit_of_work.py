"""Workspaces, accounts and keys without a database."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from application.keys.ports import Accounts, Keys
from application.workspaces.ports import WorkspaceAccounts, Workspaces
from domain.ids import AccountId, KeyId, WorkspaceId
from domain.keys.errors import KeyMissing
from domain.keys.key import Key
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.workspaces.workspace import Workspace, WorkspaceMissing


@dataclass
class FakeWorkspaces(Workspaces):
    rows: dict[WorkspaceId, Workspace]

    async def add(self, workspace: Workspace) -> None:
        self.rows[workspace.id] = workspace

    async def get(self, id: WorkspaceId) -> Workspace:
        if id not in self.rows:
            raise WorkspaceMissing
        return self.rows[id]

    async def save(self, workspace: Workspace) -> None:
        self.rows[workspace.id] = workspace

    async def all(self) -> Sequence[Workspace]:
        return [self.rows[id] for id in sorted(self.rows)]


@dataclass
class FakeAccounts(Accounts, WorkspaceAccounts):
    rows: dict[AccountId, Account]
    workspaces: FakeWorkspaces

    async def add(self, account: Account) -> None:
        self.rows[account.id] = account

    async def get(self, id: AccountId) -> Account:
        if id not in self.rows:
            raise AccountMissing
        account = self.rows[id]
        workspace = await self.workspaces.get(account.workspace)
        return replace(account, frozen=workspace.frozen_at is not None)

    async def all(self) -> Sequence[Account]:
        return [await self.get(id) for id in sorted(self.rows)]


@dataclass
class FakeKeys(Keys):
    rows: dict[KeyId, Key]

    async def add(self, key: Key) -> None:
        self.rows[key.id] = key

    async def get(self, id: KeyId) -> Key:
        if id not in self.rows:
            raise KeyMissing
        return self.rows[id]

    async def save(self, key: Key) -> None:
        self.rows[key.id] = key

    async def of(self, workspace: WorkspaceId | None) -> Sequence[Key]:
        return [self.rows[id] for id in sorted(self.rows) if self.rows[id].workspace == workspace]


class FakeTx:
    def __init__(self, committed: "FakeUnitOfWork") -> None:
        self.workspaces = FakeWorkspaces(dict(committed.workspaces))
        self.accounts = FakeAccounts(dict(committed.accounts), self.workspaces)
        self.keys = FakeKeys(dict(committed.keys))


@dataclass
class FakeUnitOfWork:
    """One transaction at a time, on a copy that becomes the state when the block ends well.

    Entities are frozen, so copying the dictionaries copies everything.
    """

    workspaces: dict[WorkspaceId, Workspace] = field(default_factory=dict)
    accounts: dict[AccountId, Account] = field(default_factory=dict)
    keys: dict[KeyId, Key] = field(default_factory=dict)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeTx]:
        async with self._turn:
            tx = FakeTx(self)
            yield tx
            self.workspaces = tx.workspaces.rows
            self.accounts = tx.accounts.rows
            self.keys = tx.keys.rows
