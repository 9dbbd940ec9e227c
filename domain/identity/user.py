from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Self

from domain.email import Email
from domain.errors import Conflict, Missing, Unauthenticated
from domain.identity.deletion import GRACE, DeletionNotAsked
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


class AlreadyOperator(Conflict):
    code: ClassVar[str] = "already_operator"

    def __str__(self) -> str:
        return "this user is an operator already"


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """``password`` is a slow hash; without one, somebody signs in elsewhere.

    An ``operator`` is of those who run CueBX. At ``deletes_at`` the account is to be erased.
    """

    id: UserId
    email: Email
    name: str
    password: str | None
    created_at: datetime
    confirmed_at: datetime | None = None
    operator: bool = False
    deletes_at: datetime | None = None

    def confirm(self, now: datetime) -> Self:
        return self if self.confirmed_at is not None else replace(self, confirmed_at=now)

    def taken_over(self, name: str, now: datetime) -> Self:
        """By whoever has shown that the address is theirs: what was set before that is void."""
        return replace(self, name=name, password=None, confirmed_at=now)

    def with_password(self, password: str) -> Self:
        return replace(self, password=password)

    def appointed(self) -> Self:
        """Raises AlreadyOperator."""
        if self.operator:
            raise AlreadyOperator
        return replace(self, operator=True)

    def ask_deletion(self, now: datetime) -> Self:
        """A second time, the first date stays."""
        return self if self.deletes_at is not None else replace(self, deletes_at=now + GRACE)

    def cancel_deletion(self) -> Self:
        """Raises DeletionNotAsked."""
        if self.deletes_at is None:
            raise DeletionNotAsked
        return replace(self, deletes_at=None)
