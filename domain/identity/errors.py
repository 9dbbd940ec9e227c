from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Limited, Unauthenticated


class AccessTokenRefused(Unauthenticated):
    code: ClassVar[str] = "access_token_refused"

    def __str__(self) -> str:
        return "the access token is not valid, or no longer: sign in, or refresh the session"


@dataclass(eq=False)
class TooManyAttempts(Limited):
    """``retry_after`` is whole seconds."""

    code: ClassVar[str] = "too_many_attempts"
    retry_after: int

    def __str__(self) -> str:
        return f"too many attempts: try again in {self.retry_after} s"
