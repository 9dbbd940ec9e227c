"""API keys: ``cbx_live_`` and 49 characters, of which the last six are a checksum of all before them.

The checksum (CRC-32) tells a typo, and a scanner for leaked secrets, without asking the database. The secret
is 32 random bytes, so its SHA-256 can be stored as it is: there is nothing that a slow hash would protect.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256
from hmac import compare_digest
from typing import NamedTuple, Self
from zlib import crc32

from domain.ids import AccountId, KeyId, UserId, WorkspaceId
from domain.keys.errors import ApiKeyExpired, ApiKeyRevoked, ApiKeySuspended, ApiKeyUnknown
from domain.keys.policy import ANYTHING, Policy

SECRET_BYTES = 32
LONGEST_GRACE = timedelta(days=30)
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH = 43
_CHECK_LENGTH = 6


class KeyKind(StrEnum):
    LIVE = "live"
    TEST = "test"
    SERVICE = "service"


PREFIX = {KeyKind.LIVE: "cbx_live_", KeyKind.TEST: "cbx_test_", KeyKind.SERVICE: "cbx_svc_"}


def _base62(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def key_text(kind: KeyKind, secret: bytes) -> str:
    """The key as its owner sees it, once. ``secret`` is 32 random bytes."""
    if len(secret) != SECRET_BYTES:
        raise ValueError(f"a secret of {len(secret)} bytes")
    body = PREFIX[kind] + _base62(int.from_bytes(secret), _SECRET_LENGTH)
    return body + _base62(crc32(body.encode()), _CHECK_LENGTH)


def kind_of(text: str) -> KeyKind:
    """What ``text`` says it is, if its checksum holds. Raises ApiKeyUnknown."""
    for kind, prefix in PREFIX.items():
        if text.startswith(prefix):
            well_formed = text.isascii() and len(text) == len(prefix) + _SECRET_LENGTH + _CHECK_LENGTH
            body, check = text[:-_CHECK_LENGTH], text[-_CHECK_LENGTH:]
            if well_formed and _base62(crc32(body.encode()), _CHECK_LENGTH) == check:
                return kind
    raise ApiKeyUnknown


def digest_of(text: str) -> bytes:
    return sha256(text.encode()).digest()


class Previous(NamedTuple):
    """The secret before the last rotation, which works ``until`` then."""

    digest: bytes
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """What is kept of a key: its digest, never its text. A service key belongs to no workspace.

    It stays the same key through every rotation, with its limits and what it used. ``created_by`` is the
    member who made it, whose own limits it comes under; ``suspended``: that member is disabled.
    """

    id: KeyId
    kind: KeyKind
    digest: bytes
    name: str
    last_four: str
    workspace: WorkspaceId | None
    account: AccountId | None
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    previous: Previous | None = None
    created_by: UserId | None = None
    last_used_at: datetime | None = None
    policy: Policy = ANYTHING
    suspended: bool = False

    def __post_init__(self) -> None:
        if (self.kind is KeyKind.SERVICE) != (self.account is None) or (self.account is None) != (
            self.workspace is None
        ):
            raise ValueError(f"a {self.kind} key of account {self.account}, workspace {self.workspace}")

    @property
    def digests(self) -> tuple[bytes, ...]:
        """By which it may be found."""
        return (self.digest,) if self.previous is None else (self.digest, self.previous.digest)

    def accept(self, digest: bytes, now: datetime) -> None:
        """Compares in constant time.

        Raises ApiKeyUnknown, ApiKeyRevoked, ApiKeyExpired or ApiKeySuspended.
        """
        if compare_digest(self.digest, digest):
            self.check(now)
        elif self.previous is not None and compare_digest(self.previous.digest, digest):
            self.check(now)
            if self.previous.until <= now:
                raise ApiKeyExpired(self.previous.until)
        else:
            raise ApiKeyUnknown
        if self.suspended:
            raise ApiKeySuspended

    def rotate(self, text: str, now: datetime, grace: timedelta) -> Self:
        """From now on it is ``text``; what it was before works for another ``grace``, and nothing older does.

        Raises ApiKeyRevoked or ApiKeyExpired.
        """
        if not timedelta(0) <= grace <= LONGEST_GRACE:
            raise ValueError(f"a grace of {grace}")
        self.check(now)
        return replace(
            self,
            digest=digest_of(text),
            last_four=text[-4:],
            previous=Previous(self.digest, now + grace),
        )

    def check(self, now: datetime) -> None:
        """Raises ApiKeyRevoked or ApiKeyExpired."""
        if self.revoked_at is not None:
            raise ApiKeyRevoked(self.revoked_at)
        if self.expires_at is not None and self.expires_at <= now:
            raise ApiKeyExpired(self.expires_at)

    def revoke(self, now: datetime) -> Self:
        """At once, and for good; a second time changes nothing."""
        return self if self.revoked_at is not None else replace(self, revoked_at=now)
