from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Invalid, Unavailable


@dataclass(eq=False)
class MailRefused(Invalid):
    """It will never go."""

    code: ClassVar[str] = "mail_refused"
    reason: str

    def __str__(self) -> str:
        return f"the mail was refused: {self.reason}"


@dataclass(eq=False)
class MailDelayed(Unavailable):
    """It may go later. ``retry_after`` is in whole seconds, where the service says it."""

    code: ClassVar[str] = "mail_delayed"
    reason: str
    retry_after: int | None = None

    def __str__(self) -> str:
        return f"the mail cannot go now: {self.reason}"
