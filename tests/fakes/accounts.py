"""Workspaces and accounts without a database."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from application.billing.ports import BillingAccounts
from application.keys.ports import Accounts
from application.usage.parking import Parked, ParkedAccounts
from application.workspaces.ports import Workspaces
from domain.billing.top_up import AutoTopUp
from domain.ids import AccountId, PlanRef, UserId, WorkspaceId
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.workspaces.errors import SlugTaken
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Workspace, WorkspaceMissing


@dataclass
class FakeWorkspaces(Workspaces):
    rows: dict[WorkspaceId, Workspace]
    members: dict[tuple[WorkspaceId, UserId], Membership]

    async def add(self, workspace: Workspace) -> None:
        await self.save(workspace)

    async def get(self, id: WorkspaceId) -> Workspace:
        if id not in self.rows or self.rows[id].deleted_at is not None:
            raise WorkspaceMissing
        return self.rows[id]

    async def save(self, workspace: Workspace) -> None:
        slugs = {each.slug for each in self.rows.values() if each.id != workspace.id}
        if workspace.slug is not None and workspace.slug in slugs:
            raise SlugTaken
        self.rows[workspace.id] = workspace

    async def of_user(self, user: UserId) -> Sequence[tuple[Workspace, Role]]:
        found = [each for each in self.members.values() if each.user == user and each.enabled]
        return [
            (self.rows[each.workspace], each.role)
            for each in sorted(found, key=lambda each: each.workspace)
            if self.rows[each.workspace].deleted_at is None
        ]

    async def all(self) -> Sequence[Workspace]:
        return [self.rows[id] for id in sorted(self.rows)]


@dataclass
class FakeAccounts(Accounts, BillingAccounts, ParkedAccounts):
    """Whether one is overdue is decided when it is settled."""

    rows: dict[AccountId, Account]
    workspaces: FakeWorkspaces
    reasons: dict[AccountId, Parked]
    automatic: dict[AccountId, AutoTopUp]
    freezes: dict[AccountId, datetime]

    async def add(self, account: Account) -> None:
        self.rows[account.id] = account

    async def get(self, id: AccountId) -> Account:
        if id not in self.rows:
            raise AccountMissing
        account = self.rows[id]
        workspace = self.workspaces.rows[account.workspace]
        return replace(account, frozen=workspace.frozen_at is not None, parked=id in self.reasons)

    async def park(self, id: AccountId, *, reason: str, at: datetime) -> bool:
        if id not in self.rows or id in self.reasons:
            return False
        self.reasons[id] = Parked(id, self.rows[id].workspace, at, reason)
        return True

    async def unpark(self, id: AccountId) -> bool:
        return self.reasons.pop(id, None) is not None

    async def parked(self) -> Sequence[Parked]:
        return sorted(self.reasons.values(), key=lambda each: (each.at, each.account))

    async def hold(self, workspace: WorkspaceId) -> Sequence[Account]:
        return await self.of(workspace)

    async def of(self, workspace: WorkspaceId) -> Sequence[Account]:
        return [each for each in await self.all() if each.workspace == workspace]

    async def all(self) -> Sequence[Account]:
        return [await self.get(id) for id in sorted(self.rows)]

    async def freezes_at(self, id: AccountId) -> datetime | None:
        return self.freezes.get(id)

    async def settle(self, id: AccountId, plan: PlanRef, *, freezes_at: datetime | None) -> None:
        overdue = freezes_at is not None and freezes_at <= datetime.now(UTC)
        self.rows[id] = replace(self.rows[id], plan=plan, overdue=overdue)
        self.freezes.pop(id, None)
        if freezes_at is not None:
            self.freezes[id] = freezes_at

    async def auto_top_up(self, id: AccountId) -> AutoTopUp | None:
        return self.automatic.get(id)

    async def set_auto_top_up(self, id: AccountId, wanted: AutoTopUp | None) -> None:
        self.rows[id] = replace(self.rows[id], top_up_below=None if wanted is None else wanted.below)
        self.automatic.pop(id, None)
        if wanted is not None:
            self.automatic[id] = wanted

    async def freezing(self, by: datetime) -> Sequence[tuple[AccountId, datetime]]:
        found = [(at, id) for id, at in self.freezes.items() if at <= by]
        return [(id, at) for at, id in sorted(found)]

    async def with_auto_top_up(self) -> Sequence[AccountId]:
        return sorted(self.automatic)
