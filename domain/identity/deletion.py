"""An account is deleted some time after that was asked for, so that a mistake, or a thief, can be undone."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from domain.errors import Conflict, Denied
from domain.ids import WorkspaceId, workspace_text

GRACE = timedelta(days=30)
FRESH = timedelta(minutes=10)
"""A session that began so shortly ago stands for a password, where somebody has none."""


@dataclass(eq=False)
class StillOwner(Conflict):
    code: ClassVar[str] = "still_owner"
    workspaces: tuple[WorkspaceId, ...]

    def __str__(self) -> str:
        named = ", ".join(map(workspace_text, self.workspaces))
        return f"teams would be left without an owner: transfer or delete {named} first"


class SignInAgain(Denied):
    code: ClassVar[str] = "sign_in_again"

    def __str__(self) -> str:
        return "sign in again for this: the session began more than 10 minutes ago"


class DeletionNotAsked(Conflict):
    code: ClassVar[str] = "deletion_not_asked"

    def __str__(self) -> str:
        return "there is no deletion to take back"
