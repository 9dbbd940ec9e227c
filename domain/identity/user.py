from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from domain.email import Email
from domain.errors import Missing, Unauthenticated
from domain.ids import UserId


class UserMissing(Missing):
    code: ClassVar[str] = "user_missing"

    def __str__(self) -> str:
        return "there is no such user"


class SignInRefused(Unauthenticated):
    """Whether the address, the password or its confirmation is what lacks, is not told."""

    code: ClassVar[str] = "sign_in_refused"

    def __str__(self) -> str:
        return "the e-mail address or the password is wrong, or the address is not confirmed"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """``password`` is a slow hash; without one, somebody signs in elsewhere."""

    id: UserId
    email: Email
    name: str
    password: str | None
    created_at: datetime
    confirmed_at: datetime | None = None

    def confirm(self, now: datetime) -> Self:
        return self if self.confirmed_at is not None else replace(self, confirmed_at=now)

    def taken_over(self, name: str, now: datetime) -> Self:
        """By whoever has shown that the address is theirs: what was set before that is void."""
        return replace(self, name=name, password=None, confirmed_at=now)

    def with_password(self, password: str) -> Self:
        return replace(self, password=password)
