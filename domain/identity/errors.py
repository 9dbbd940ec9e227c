from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Limited, Unauthenticated, Unavailable


class AccessTokenRefused(Unauthenticated):
    code: ClassVar[str] = "access_token_refused"

    def __str__(self) -> str:
        return "the access token is not valid, or no longer: sign in, or refresh the session"


class AccessTokenNeeded(Unauthenticated):
    code: ClassVar[str] = "access_token_needed"

    def __str__(self) -> str:
        return "this needs the access token of somebody who has signed in, not a key"


@dataclass(eq=False)
class TooManyAttempts(Limited):
    """``retry_after`` is whole seconds."""

    code: ClassVar[str] = "too_many_attempts"
    retry_after: int

    def __str__(self) -> str:
        return f"too many attempts: try again in {self.retry_after} s"


@dataclass(eq=False)
class TooBusy(Unavailable):
    code: ClassVar[str] = "too_busy"
    retry_after: int = 1

    def __str__(self) -> str:
        return "too many are signing in at this moment: try again in a second"
