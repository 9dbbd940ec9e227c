from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from application.audit.ports import AuditTx, Standing
from application.notifications.ports import MailTx
from domain.identity.user import User
from domain.ids import AccountId, KeyId, UserId, WorkspaceId
from domain.keys.key import Key
from domain.usage.account import Account
from domain.workspaces.member import Membership


class Keys(Protocol):
    async def add(self, key: Key) -> None: ...

    async def get(self, id: KeyId) -> Key:
        """Raises KeyMissing. Locked until the transaction ends."""

    async def save(self, key: Key) -> None:
        """Every process hears of it when the transaction commits."""

    async def of(self, workspace: WorkspaceId | None) -> Sequence[Key]:
        """Oldest first; the service keys where no workspace is named."""


class Accounts(Protocol):
    async def get(self, id: AccountId) -> Account:
        """Raises AccountMissing."""


class Makers(Standing, Protocol):
    async def get(self, workspace: WorkspaceId, user: UserId) -> Membership:
        """Raises MemberMissing. Locked until the transaction ends."""

    async def admins(self, workspace: WorkspaceId) -> Sequence[str]:
        """The e-mail addresses of its owner and its admins that are enabled."""

    async def named(self, workspace: WorkspaceId) -> str:
        """The workspace's name. Nothing is locked."""


class People(Protocol):
    async def get(self, id: UserId, *, lock: bool = True) -> User: ...


class KeysTx(AuditTx, MailTx, Protocol):
    @property
    def members(self) -> Makers: ...

    @property
    def users(self) -> People: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def accounts(self) -> Accounts: ...


class Keyring(Protocol):
    """Finds keys fast: what it says is at most one second old."""

    def known(self, digest: bytes) -> Key | None:
        """The key, if it was asked for within that second."""

    async def find(self, digest: bytes) -> Key | None: ...


class KeyUses(Protocol):
    """When keys were last used: kept soon, and not waited for."""

    def note(self, key: KeyId, at: datetime) -> None: ...


class AccountDirectory(Protocol):
    """Finds accounts fast: what it says is at most one second old."""

    async def find(self, id: AccountId) -> Account:
        """Raises AccountMissing."""


class Secrets(Protocol):
    def __call__(self, count: int, /) -> bytes:
        """``count`` random bytes fit for a secret."""
