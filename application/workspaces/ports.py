from collections.abc import Sequence
from typing import Protocol

from application.audit.ports import AuditTx
from domain.ids import WorkspaceId
from domain.usage.account import Account
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

    async def all(self) -> Sequence[Account]:
        """Oldest first."""


class WorkspacesTx(AuditTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def accounts(self) -> WorkspaceAccounts: ...
