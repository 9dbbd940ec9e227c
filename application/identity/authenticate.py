from dataclasses import dataclass

from application.access import OperationDenied
from application.actor import Operator, Person
from application.identity.ports import AccessTokens, IdentityTx, LiveSessions
from application.ports import UnitOfWork
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


@dataclass(frozen=True, slots=True)
class AuthenticateOperator:
    """Somebody who has signed in, and is an operator now."""

    authenticate: AuthenticatePerson
    uow: UnitOfWork[IdentityTx]

    async def __call__(self, token: str, *, address: str) -> Operator:
        """Raises AccessTokenRefused, OperationDenied."""
        person = await self.authenticate(token, address=address)
        async with self.uow() as tx:
            user = await tx.users.get(person.user, lock=False)
        if not user.operator:
            raise OperationDenied("this", ())
        return Operator()
