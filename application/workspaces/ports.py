from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.audit.ports import AuditTx
from application.keys.ports import Accounts
from domain.ids import InvitationId, UserId, WorkspaceId
from domain.usage.account import Account
from domain.workspaces.invitation import Invitation
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Workspace


@dataclass(frozen=True, slots=True)
class MemberShown:
    """As other members see somebody. An erased user has no address."""

    membership: Membership
    name: str
    email: str | None


class Workspaces(Protocol):
    async def add(self, workspace: Workspace) -> None: ...

    async def get(self, id: WorkspaceId) -> Workspace:
        """Raises WorkspaceMissing, also for a deleted one. Locked until the transaction ends."""

    async def save(self, workspace: Workspace) -> None:
        """Raises SlugTaken."""

    async def all(self) -> Sequence[Workspace]:
        """Oldest first, with the deleted ones."""

    async def of_user(self, user: UserId) -> Sequence[tuple[Workspace, Role]]:
        """Where somebody is an enabled member, and as what; the oldest first."""


class WorkspaceAccounts(Protocol):
    async def add(self, account: Account) -> None: ...

    async def hold(self, workspace: WorkspaceId) -> Sequence[Account]:
        """Oldest first. Their credits do not move until the transaction ends."""

    async def of(self, workspace: WorkspaceId) -> Sequence[Account]:
        """Oldest first."""

    async def all(self) -> Sequence[Account]:
        """Oldest first."""


class HeldAccounts(Accounts, WorkspaceAccounts, Protocol): ...


class Members(Protocol):
    async def add(self, member: Membership) -> None: ...

    async def find(self, workspace: WorkspaceId, user: UserId) -> Membership | None:
        """As it is now. Not locked."""

    async def get(self, workspace: WorkspaceId, user: UserId) -> Membership:
        """Raises MemberMissing. Locked until the transaction ends."""

    async def save(self, member: Membership) -> None: ...

    async def remove(self, workspace: WorkspaceId, user: UserId) -> None: ...

    async def enabled(self, workspace: WorkspaceId) -> int:
        """How many are: for a rule, ask while the workspace is locked."""

    async def has(self, workspace: WorkspaceId, email_key: str) -> bool:
        """Whether somebody with this address is a member, enabled or not."""

    async def shown(
        self, workspace: WorkspaceId, *, after: UserId | None, limit: int
    ) -> Sequence[MemberShown]:
        """In the order of their ids."""

    async def named(self, workspace: WorkspaceId) -> str:
        """The workspace's name. Nothing is locked."""

    async def admins(self, workspace: WorkspaceId) -> Sequence[str]:
        """The e-mail addresses of its owner and its admins that are enabled, in the order of their ids."""

    async def of_user(self, user: UserId) -> Sequence[Membership]:
        """Where somebody is an enabled member, the oldest first."""


class Invitations(Protocol):
    async def add(self, invitation: Invitation) -> None: ...

    async def get(self, workspace: WorkspaceId, id: InvitationId) -> Invitation:
        """Raises InvitationMissing. Locked until the transaction ends."""

    async def by_digest(self, digest: bytes) -> Invitation | None:
        """Across all workspaces: whoever has the token knows no more than that. Not locked."""

    async def save(self, invitation: Invitation) -> None: ...

    async def open(self, workspace: WorkspaceId) -> Sequence[Invitation]:
        """Neither accepted nor revoked, also those that are too old; the oldest first."""


class MemberDirectory(Protocol):
    """Finds roles fast: what it says is at most one second old."""

    async def role(self, workspace: WorkspaceId, user: UserId) -> Role | None:
        """None where there is no enabled member, or no workspace any more."""


class WorkspacesTx(AuditTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def accounts(self) -> WorkspaceAccounts: ...
