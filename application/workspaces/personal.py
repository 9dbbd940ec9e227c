from dataclasses import dataclass
from typing import Protocol

from application.audit.ports import AuditTx
from application.catalog.ports import Catalog
from application.ports import Clock, NewId
from application.workspaces.ports import Members, WorkspaceAccounts, Workspaces
from domain.catalog.plan import Plan
from domain.identity.user import User
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.account import Account
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace

PRODUCT, PLAN = "personal", "free"


class PersonalTx(AuditTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def accounts(self) -> WorkspaceAccounts: ...

    @property
    def members(self) -> Members: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPersonalWorkspace:
    """For a new user, in the transaction that confirms the address."""

    catalog: Catalog
    clock: Clock
    new_id: NewId

    async def plan(self) -> Plan:
        """What it begins with, asked for before the transaction. Raises PlanMissing."""
        return await self.catalog.newest_plan(PRODUCT, PLAN)

    async def __call__(self, tx: PersonalTx, user: User, plan: Plan) -> Workspace:
        now = self.clock.now()
        workspace = Workspace(
            id=WorkspaceId(self.new_id()), name=user.name, kind=Kind.PERSONAL, created_at=now
        )
        account = Account(
            id=AccountId(self.new_id()),
            workspace=workspace.id,
            plan=PlanRef(plan.product, plan.key, plan.version),
            frozen=False,
            anchor=now,
        )
        await tx.workspaces.add(workspace)
        await tx.accounts.add(account)
        await tx.members.add(Membership(workspace=workspace.id, user=user.id, role=Role.OWNER, joined_at=now))
        return workspace
