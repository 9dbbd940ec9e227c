"""One sign-in, continued by refresh tokens of which each works once."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar, Self

from domain.errors import Missing, Unauthenticated
from domain.ids import SessionId, UserId

IDLE = timedelta(days=30)
"""Without a refresh."""
LONGEST = timedelta(days=90)
TOKEN_BYTES = 32
_LONGEST_DEVICE = 200


class SessionMissing(Missing):
    code: ClassVar[str] = "session_missing"

    def __str__(self) -> str:
        return "there is no such session"


class RefreshTokenRefused(Unauthenticated):
    """Whatever is wrong with it."""

    code: ClassVar[str] = "refresh_token_refused"

    def __str__(self) -> str:
        return "the refresh token is not valid, or no longer: sign in again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """``device`` is what the client calls itself, ``address`` where it was last seen."""

    user: UserId
    id: SessionId
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    @classmethod
    def begin(cls, user: UserId, id: SessionId, *, device: str, address: str, now: datetime) -> Self:
        shown = "".join(each for each in device if each.isprintable())[:_LONGEST_DEVICE]
        return cls(
            user=user,
            id=id,
            device=shown,
            address=address,
            created_at=now,
            last_seen_at=now,
            expires_at=now + IDLE,
        )

    def live(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at

    def see(self, address: str, now: datetime) -> Self:
        """It goes on, but not for ever. Raises RefreshTokenRefused where it is over."""
        if not self.live(now):
            raise RefreshTokenRefused
        expires_at = min(now + IDLE, self.created_at + LONGEST)
        return replace(self, address=address, last_seen_at=now, expires_at=expires_at)

    def end(self, now: datetime) -> Self:
        return self if self.ended_at is not None else replace(self, ended_at=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshToken:
    """``digest`` is the SHA-256 of 32 random bytes: there is nothing that a slow hash would protect."""

    digest: bytes
    user: UserId
    session: SessionId
    created_at: datetime
    used_at: datetime | None = None

    def use(self, now: datetime) -> Self:
        """Raises ValueError for one that was used: whoever finds that ends the session instead."""
        if self.used_at is not None:
            raise ValueError("a refresh token was used before")
        return replace(self, used_at=now)
