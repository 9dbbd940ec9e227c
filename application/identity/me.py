from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from application.actor import Person
from application.identity.second_factor import SecondFactorTx
from application.ports import Clock, UnitOfWork
from application.workspaces.ports import Members
from domain.identity.session import Session
from domain.identity.user import User
from domain.ids import UserId
from domain.workspaces.member import Membership
from domain.workspaces.workspace import check_name


class MeTx(SecondFactorTx, Protocol):
    @property
    def members(self) -> Members: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """``recovery_codes`` is how many are left."""

    user: User
    places: Sequence[Membership]
    second_factor: bool
    recovery_codes: int


@dataclass(frozen=True, slots=True)
class ReadMe:
    uow: UnitOfWork[MeTx]

    async def __call__(self, person: Person) -> Me:
        """Raises UserMissing."""
        return await self.of(person.user)

    async def of(self, id: UserId) -> Me:
        """Raises UserMissing."""
        async with self.uow() as tx:
            factor = await tx.second_factors.get(id, lock=False)
            return Me(
                user=await tx.users.get(id, lock=False),
                places=await tx.members.of_user(id),
                second_factor=factor is not None and factor.on,
                recovery_codes=await tx.second_factors.codes_left(id),
            )


@dataclass(frozen=True, slots=True)
class ChangeMe:
    uow: UnitOfWork[MeTx]
    read: ReadMe

    async def __call__(self, person: Person, *, name: str | None) -> Me:
        """What is None stays as it is. Raises NameRefused, UserMissing."""
        if name is not None:
            name = check_name(name)
            async with self.uow() as tx:
                await tx.users.save(replace(await tx.users.get(person.user), name=name))
        return await self.read(person)


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
