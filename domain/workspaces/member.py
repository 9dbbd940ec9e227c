from dataclasses import dataclass
from datetime import datetime

from domain.ids import UserId, WorkspaceId
from domain.workspaces.role import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """Somebody's place in a workspace. A disabled one may do nothing there."""

    workspace: WorkspaceId
    user: UserId
    role: Role
    joined_at: datetime
    disabled_at: datetime | None = None
