from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.actor import Person
from application.identity.ports import IdentityTx
from application.ports import Clock, UnitOfWork
from application.workspaces.ports import Members
from domain.identity.session import Session
from domain.identity.user import User
from domain.workspaces.member import Membership


class MeTx(IdentityTx, Protocol):
    @property
    def members(self) -> Members: ...


@dataclass(frozen=True, slots=True)
class ReadMe:
    uow: UnitOfWork[MeTx]

    async def __call__(self, person: Person) -> tuple[User, Sequence[Membership]]:
        """Raises UserMissing."""
        async with self.uow() as tx:
            return await tx.users.get(person.user), await tx.members.of_user(person.user)


@dataclass(frozen=True, slots=True)
class ListSessions:
    uow: UnitOfWork[MeTx]
    clock: Clock

    async def __call__(self, person: Person) -> Sequence[Session]:
        """Those that go on, the latest first."""
        async with self.uow() as tx:
            found = await tx.sessions.of(person.user)
        now = self.clock.now()
        return [each for each in found if each.live(now)]
