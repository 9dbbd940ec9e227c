from dataclasses import dataclass

from application.actor import Person
from application.identity.ports import AccessTokens, LiveSessions
from domain.identity.errors import AccessTokenRefused


@dataclass(frozen=True, slots=True)
class AuthenticatePerson:
    """Who presents an access token."""

    tokens: AccessTokens
    sessions: LiveSessions

    async def __call__(self, token: str, *, address: str) -> Person:
        """Raises AccessTokenRefused, also within a second where the session was ended."""
        user, session = await self.tokens.read(token)
        if not await self.sessions.live(user, session):
            raise AccessTokenRefused
        return Person(user=user, session=session, address=address)
