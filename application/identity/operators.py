"""What whoever runs CueBX does for people: find them, sign them out, appoint one of their own."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.actor import Operator
from application.identity.codes import SendCode
from application.identity.me import Me, MeTx, ReadMe
from application.identity.passwords import end_sessions
from application.identity.sign_up import SignUpTx
from application.pages import Page
from application.ports import Clock, NewId, UnitOfWork
from application.workspaces.personal import OpenPersonalWorkspace
from domain.email import Email
from domain.identity.code import Purpose
from domain.identity.session import Session
from domain.identity.user import User, UserMissing
from domain.ids import UserId
from domain.workspaces.workspace import check_name


@dataclass(frozen=True, slots=True)
class ListUsers:
    uow: UnitOfWork[MeTx]

    async def __call__(self, _: Operator, *, after: UserId | None, limit: int) -> Page[User]:
        """The oldest first."""
        async with self.uow() as tx:
            found = await tx.users.page(after=after, limit=limit + 1)
        return Page.of(found, limit)


@dataclass(frozen=True, slots=True)
class LookUpUser:
    uow: UnitOfWork[MeTx]
    read: ReadMe

    async def __call__(self, _: Operator, who: UserId | Email) -> tuple[Me, Sequence[Session]]:
        """With the sessions that have not ended. Raises UserMissing."""
        async with self.uow() as tx:
            user = await _find(tx, who)
            sessions = await tx.sessions.of(user.id)
        return await self.read.of(user.id), sessions


@dataclass(frozen=True, slots=True)
class EndSessions:
    uow: UnitOfWork[MeTx]
    clock: Clock

    async def __call__(self, _: Operator, who: UserId | Email) -> User:
        """All of them: refused everywhere within a second. Raises UserMissing."""
        async with self.uow() as tx:
            user = await _find(tx, who)
            await end_sessions(tx, user.id, self.clock)
        return user


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateOperator:
    """Who has no account gets one, confirmed, and a code by mail to set its password."""

    uow: UnitOfWork[SignUpTx]
    send_code: SendCode
    open_workspace: OpenPersonalWorkspace
    clock: Clock
    new_id: NewId

    async def __call__(self, _: Operator, email: Email, name: str) -> User:
        """Raises AlreadyOperator, NameRefused, PlanMissing."""
        now, plan = self.clock.now(), await self.open_workspace.plan()
        new = User(
            id=UserId(self.new_id()),
            email=email,
            name=check_name(name),
            password=None,
            created_at=now,
            confirmed_at=now,
            operator=True,
        )
        async with self.uow() as tx:
            there = None if await tx.users.add(new) else await tx.users.by_email(email.key)
            if there is None:
                user = new
            elif there.confirmed_at is None:
                user = there.taken_over(new.name, now).appointed()
            else:
                user = there.appointed()
            if there is not None:
                await tx.users.save(user)
            if there is None or there.confirmed_at is None:
                await self.open_workspace(tx, user, plan)
            if user.password is None:
                await self.send_code(tx, user, Purpose.RESET)
        return user


async def _find(tx: MeTx, who: UserId | Email) -> User:
    """Raises UserMissing."""
    if not isinstance(who, Email):
        return await tx.users.get(who, lock=False)
    user = await tx.users.by_email(who.key, lock=False)
    if user is None:
        raise UserMissing
    return user
