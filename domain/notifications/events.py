from dataclasses import dataclass
from typing import ClassVar

from domain.ids import WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRequested:
    """``sealed`` holds the facts of the mail, among them codes and tokens, in base64.

    They can be read with the process's own secret alone: not from a queue, a backup or a dead letter.
    """

    kind: ClassVar[str] = "mail.requested"
    version: ClassVar[int] = 1

    to: str
    template: str
    sealed: str
    workspace: WorkspaceId | None = None
