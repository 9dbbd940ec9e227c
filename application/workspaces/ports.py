from collections.abc import Sequence
from typing import Protocol

from application.audit.ports import AuditTx
from domain.ids import UserId, WorkspaceId
from domain.usage.account import Account
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Workspace


class Workspaces(Protocol):
    async def add(self, workspace: Workspace) -> None: ...

    async def get(self, id: WorkspaceId) -> Workspace:
        """Raises WorkspaceMissing. Locked until the transaction ends."""

    async def save(self, workspace: Workspace) -> None: ...

    async def all(self) -> Sequence[Workspace]:
        """Oldest first."""


class WorkspaceAccounts(Protocol):
    async def add(self, account: Account) -> None: ...

    async def of(self, workspace: WorkspaceId) -> Sequence[Account]:
        """Oldest first."""

    async def all(self) -> Sequence[Account]:
        """Oldest first."""


class Members(Protocol):
    async def add(self, member: Membership) -> None: ...

    async def of_user(self, user: UserId) -> Sequence[Membership]:
        """Where somebody is an enabled member, the oldest first."""


class MemberDirectory(Protocol):
    """Finds roles fast: what it says is at most one second old."""

    async def role(self, workspace: WorkspaceId, user: UserId) -> Role | None:
        """None where there is no enabled member, or no workspace any more."""


class WorkspacesTx(AuditTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def accounts(self) -> WorkspaceAccounts: ...
