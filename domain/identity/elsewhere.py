"""Accounts at other providers, by which people sign in."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.errors import Conflict, Denied, Missing, Unauthenticated, UpstreamFailed
from domain.ids import UserId

_LONGEST_NAME = 100


class ProviderMissing(Missing):
    code: ClassVar[str] = "provider_missing"

    def __str__(self) -> str:
        return "nobody signs in by that provider here"


class IdentityMissing(Missing):
    code: ClassVar[str] = "identity_missing"

    def __str__(self) -> str:
        return "there is no account of that provider to unlink"


class ElsewhereRefused(Unauthenticated):
    """Begun in another browser, too long ago, or not confirmed by the provider: which, is not told."""

    code: ClassVar[str] = "elsewhere_refused"

    def __str__(self) -> str:
        return "this sign-in was not begun here, took too long, or was refused by the provider: begin again"


@dataclass(eq=False)
class ProviderFailed(UpstreamFailed):
    code: ClassVar[str] = "provider_failed"
    provider: str

    def __str__(self) -> str:
        return f"{self.provider} did not answer as it should: try again, or sign in with a password"


@dataclass(eq=False)
class AddressNotVerified(Denied):
    code: ClassVar[str] = "address_not_verified"
    provider: str

    def __str__(self) -> str:
        return f"{self.provider} knows no verified e-mail address of this account: verify one there first"


class LastWayIn(Conflict):
    code: ClassVar[str] = "last_way_in"

    def __str__(self) -> str:
        return "without a password this would be the last way to sign in: set a password first"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proved:
    """What a provider says of somebody. ``email`` is one that it has verified, if it knows one.

    ``subject`` is the provider's own name for the account, which never goes to another.
    """

    provider: str
    subject: str
    email: str | None
    name: str

    def shown(self, otherwise: str) -> str:
        """A name that will do for a user's."""
        name = "".join(each for each in self.name if each.isprintable()).strip()[:_LONGEST_NAME].strip()
        return name or otherwise[:_LONGEST_NAME]


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedIdentity:
    provider: str
    subject: str
    user: UserId
    linked_at: datetime
