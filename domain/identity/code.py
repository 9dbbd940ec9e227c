"""Six digits sent by mail. A new one takes the place of the old."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hmac import compare_digest
from typing import ClassVar, Self

from domain.errors import Invalid
from domain.ids import UserId

DIGITS = 6
LASTS = timedelta(minutes=10)
ATTEMPTS = 5


class Purpose(StrEnum):
    CONFIRM = "confirm"
    RESET = "reset"


class CodeRefused(Invalid):
    """Also where no code was sent, or nobody has the address: which of these it is, is not told."""

    code: ClassVar[str] = "code_refused"

    def __str__(self) -> str:
        return "the code is wrong, used, or too old: ask for a new one"


def code_text(number: int) -> str:
    """Of a random ``number``."""
    return str(number % 10**DIGITS).zfill(DIGITS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """``digest`` is keyed, as six digits are soon tried out."""

    user: UserId
    purpose: Purpose
    digest: bytes
    attempts_left: int = ATTEMPTS
    expires_at: datetime

    def accepts(self, digest: bytes, now: datetime) -> bool:
        """Never more than so many attempts, not even with the right one."""
        return self.attempts_left > 0 and now < self.expires_at and compare_digest(self.digest, digest)

    def failed(self) -> Self:
        return replace(self, attempts_left=max(0, self.attempts_left - 1))
