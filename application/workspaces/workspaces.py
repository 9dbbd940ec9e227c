from collections.abc import Sequence
from dataclasses import dataclass

from application.actor import Operator
from application.audit.record import Record
from application.catalog.ports import Catalog
from application.ports import Clock, NewId, UnitOfWork
from application.workspaces.ports import WorkspacesTx
from domain.ids import AccountId, PlanRef, WorkspaceId, workspace_text
from domain.usage.account import Account
from domain.workspaces.workspace import Kind, Workspace, check_name


@dataclass(frozen=True, slots=True)
class Opened:
    workspace: Workspace
    accounts: Sequence[Account]


@dataclass(frozen=True, slots=True)
class CreateWorkspace:
    """With an account on the newest version of ``plan``."""

    uow: UnitOfWork[WorkspacesTx]
    catalog: Catalog
    clock: Clock
    new_id: NewId
    record: Record

    async def __call__(self, actor: Operator, name: str, kind: Kind, *, product: str, plan: str) -> Opened:
        """Raises NameRefused, PlanMissing."""
        newest = await self.catalog.newest_plan(product, plan)
        now = self.clock.now()
        workspace = Workspace(
            id=WorkspaceId(self.new_id()),
            name=check_name(name),
            kind=kind,
            created_at=now,
            seats=newest.seats if kind is Kind.TEAM else 1,
        )
        account = Account(
            id=AccountId(self.new_id()),
            workspace=workspace.id,
            plan=PlanRef(newest.product, newest.key, newest.version),
            frozen=False,
            anchor=now,
        )
        async with self.uow() as tx:
            await tx.workspaces.add(workspace)
            await tx.accounts.add(account)
            facts = {"name": workspace.name, "kind": kind, "plan": str(account.plan)}
            await self.record(
                tx, actor, workspace.id, "workspace.created", workspace_text(workspace.id), after=facts
            )
        return Opened(workspace, (account,))


@dataclass(frozen=True, slots=True)
class FreezeWorkspace:
    """Nothing more is spent. What is held is settled as usual."""

    uow: UnitOfWork[WorkspacesTx]
    clock: Clock
    record: Record

    async def __call__(self, actor: Operator, id: WorkspaceId) -> Workspace:
        """Raises WorkspaceMissing."""
        async with self.uow() as tx:
            before = await tx.workspaces.get(id)
            frozen = before.freeze(self.clock.now())
            await tx.workspaces.save(frozen)
            if frozen != before:
                await self.record(tx, actor, id, "workspace.frozen", workspace_text(id))
        return frozen


@dataclass(frozen=True, slots=True)
class UnfreezeWorkspace:
    uow: UnitOfWork[WorkspacesTx]
    record: Record

    async def __call__(self, actor: Operator, id: WorkspaceId) -> Workspace:
        """Raises WorkspaceMissing."""
        async with self.uow() as tx:
            before = await tx.workspaces.get(id)
            thawed = before.unfreeze()
            await tx.workspaces.save(thawed)
            if thawed != before:
                await self.record(tx, actor, id, "workspace.unfrozen", workspace_text(id))
        return thawed


@dataclass(frozen=True, slots=True)
class ListWorkspaces:
    uow: UnitOfWork[WorkspacesTx]

    async def __call__(self) -> Sequence[Opened]:
        async with self.uow() as tx:
            workspaces, accounts = await tx.workspaces.all(), await tx.accounts.all()
        owned: dict[WorkspaceId, list[Account]] = {}
        for account in accounts:
            owned.setdefault(account.workspace, []).append(account)
        return [Opened(workspace, owned.get(workspace.id, [])) for workspace in workspaces]
