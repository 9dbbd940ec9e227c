from collections.abc import Mapping, Sequence
from typing import Protocol

from application.notifications.ports import MailTx
from domain.identity.code import Code, Purpose
from domain.identity.session import RefreshToken, Session
from domain.identity.user import User
from domain.ids import SessionId, UserId


class Passwords(Protocol):
    """Slow on purpose, and off the event loop: so many at a time, and no more."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password: str, hashed: str | None) -> bool:
        """False, as late as for a wrong password, where there is nothing to compare it with."""

    def common(self, password: str) -> bool:
        """Whether it is among those that are guessed first."""


class AccessTokens(Protocol):
    async def issue(self, user: UserId, session: SessionId) -> str:
        """Good for ten minutes."""

    async def read(self, token: str) -> tuple[UserId, SessionId]:
        """Raises AccessTokenRefused, whatever is wrong with it. Whether the session goes on it cannot say."""


class PublishedKeys(Protocol):
    async def published(self) -> Mapping[str, object]:
        """What access tokens are verified with, as a JWK Set (RFC 7517)."""


class Secrecy(Protocol):
    """What the process's own secret is for. ``purpose`` keeps apart what must not stand for one another."""

    def digest(self, purpose: str, text: str) -> bytes:
        """Keyed, for what is short enough to be guessed."""

    def seal(self, purpose: str, plain: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...


class Throttle(Protocol):
    async def hit(self, what: str, subject: str) -> None:
        """Counts a try of ``what`` by ``subject``. Raises TooManyAttempts."""


class Users(Protocol):
    async def add(self, user: User) -> bool:
        """False, and nothing is done, where somebody has the address already."""

    async def get(self, id: UserId, *, lock: bool = True) -> User:
        """Raises UserMissing. Locked until the transaction ends, if it is to be."""

    async def by_email(self, key: str, *, lock: bool = True) -> User | None:
        """Locked until the transaction ends, if it is to be."""

    async def save(self, user: User) -> None: ...

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        """Oldest first."""

    async def operators(self) -> Sequence[User]:
        """Not locked."""


class Codes(Protocol):
    async def put(self, code: Code) -> None:
        """In place of the one that there was for the same purpose."""

    async def get(self, user: UserId, purpose: Purpose) -> Code | None:
        """Locked until the transaction ends."""

    async def remove(self, user: UserId, purpose: Purpose) -> None: ...


class UserSessions(Protocol):
    async def add(self, session: Session) -> None: ...

    async def get(self, user: UserId, id: SessionId) -> Session:
        """Raises SessionMissing. Locked until the transaction ends."""

    async def save(self, session: Session) -> None: ...

    async def of(self, user: UserId) -> Sequence[Session]:
        """Those that have not ended, the latest first."""

    async def devices(self, user: UserId) -> frozenset[str]:
        """Those of all sessions that are still kept, ended ones as well."""

    async def add_token(self, token: RefreshToken) -> None: ...

    async def token(self, digest: bytes) -> RefreshToken | None:
        """Locked until the transaction ends, so that of two who use it one comes first."""

    async def save_token(self, token: RefreshToken) -> None: ...


class IdentityTx(MailTx, Protocol):
    @property
    def users(self) -> Users: ...

    @property
    def codes(self) -> Codes: ...

    @property
    def sessions(self) -> UserSessions: ...


class LiveSessions(Protocol):
    async def live(self, user: UserId, session: SessionId) -> bool:
        """Whether it goes on: what it says is at most one second old."""
