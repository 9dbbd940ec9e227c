from typing import Protocol

from domain.identity.mail import Mail
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


class Secrecy(Protocol):
    """What the process's own secret is for. ``purpose`` keeps apart what must not stand for one another."""

    def digest(self, purpose: str, text: str) -> bytes:
        """Keyed, for what is short enough to be guessed."""

    def seal(self, purpose: str, plain: bytes) -> bytes: ...

    def open(self, purpose: str, sealed: bytes) -> bytes: ...


class Mailer(Protocol):
    async def send(self, mail: Mail) -> None:
        """Takes as long for every address. Raises nothing: what cannot be sent is told in the log."""


class Throttle(Protocol):
    async def hit(self, what: str, subject: str) -> None:
        """Counts a try of ``what`` by ``subject``. Raises TooManyAttempts."""
