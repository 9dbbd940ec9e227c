from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from domain.ids import UserId, WorkspaceId
from domain.workspaces.errors import OwnerStays
from domain.workspaces.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Somebody's place in a workspace. A disabled one may do nothing there, nor may the keys made by it."""

    workspace: WorkspaceId
    user: UserId
    role: Role
    joined_at: datetime
    disabled_at: datetime | None = None

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None

    def check_not_owner(self) -> None:
        """Raises OwnerStays."""
        if self.role is Role.OWNER:
            raise OwnerStays

    def become(self, role: Role) -> Self:
        """Raises OwnerStays: who owns is changed by ``transfer`` alone."""
        self.check_not_owner()
        if role is Role.OWNER:
            raise OwnerStays
        return replace(self, role=role)

    def disable(self, now: datetime) -> Self:
        """Raises OwnerStays."""
        self.check_not_owner()
        return self if self.disabled_at is not None else replace(self, disabled_at=now)

    def enable(self) -> Self:
        return replace(self, disabled_at=None)


def transfer(owner: Membership, heir: Membership) -> tuple[Membership, Membership]:
    """Both as they are afterwards: who owned is an admin."""
    return replace(owner, role=Role.ADMIN), replace(heir, role=Role.OWNER)
