"""What is held about somebody: given to them, and erased when they go."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.actor import Operator, Person
from application.audit.record import Record
from application.billing.leave import LeavingTx, check_pays_nothing, leave
from application.identity.passwords import end_sessions
from application.identity.ports import IdentityTx, Throttle, UserSessions
from application.identity.second_factor import ShowPassword
from application.keys.keys import RevokeKeys
from application.notifications.post import PostMail
from application.ports import Clock, UnitOfWork
from application.workspaces.members import MembersTx, facts_of
from application.workspaces.ports import HeldAccounts
from domain.audit.entry import Entry
from domain.identity.deletion import FRESH, SignInAgain, StillOwner
from domain.identity.elsewhere import LinkedIdentity
from domain.identity.mail import Mail
from domain.identity.session import Session
from domain.identity.user import User
from domain.ids import UserId, user_text, workspace_text
from domain.keys.key import Key
from domain.workspaces.invitation import Invitation
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, WorkspaceMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """All of it, the oldest first. Of keys, those that somebody made; of entries, what they did."""

    user: User
    sessions: Sequence[Session]
    identities: Sequence[LinkedIdentity]
    memberships: Sequence[Membership]
    invitations: Sequence[Invitation]
    keys: Sequence[Key]
    entries: Sequence[Entry]


class PersonalData(Protocol):
    """Across all workspaces, but about one person."""

    async def held(self, user: User) -> Held: ...

    async def due(self, now: datetime, *, but: Collection[UserId]) -> User | None:
        """Somebody whose time has come. Locked until the transaction ends; passes over who is locked."""

    async def erase(self, user: User, at: datetime) -> None:
        """The address, the name, what proves who they are, sessions, invitations to the address.

        And what models answered to them: how runs ended in the personal workspace; and mails to them that
        were given up.
        """


class PersonalDataTx(IdentityTx, MembersTx, LeavingTx, Protocol):
    @property
    def accounts(self) -> HeldAccounts: ...

    @property
    def personal(self) -> PersonalData: ...

    @property
    def sessions(self) -> UserSessions: ...


@dataclass(frozen=True, slots=True)
class ExportMe:
    uow: UnitOfWork[PersonalDataTx]

    async def __call__(self, person: Person) -> Held:
        """Raises UserMissing."""
        async with self.uow() as tx:
            return await tx.personal.held(await tx.users.get(person.user, lock=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteMe:
    """After a grace, in which signing in still works, and the deletion can be taken back."""

    uow: UnitOfWork[PersonalDataTx]
    show_password: ShowPassword
    throttle: Throttle
    post: PostMail
    clock: Clock

    async def ask(self, person: Person, password: str | None) -> datetime:
        """When it is to be. Who has no password needs none, in a fresh session.

        Raises PasswordRefused, SignInAgain, StillOwner, StillSubscribed, TooManyAttempts, UserMissing.
        """
        now = self.clock.now()
        async with self.uow() as tx:
            user = await tx.users.get(person.user, lock=False)
            session = await tx.sessions.get(person.user, person.session)
        if user.password is not None:
            await self.show_password(person, password or "")
        elif now - session.created_at >= FRESH:
            raise SignInAgain
        await self.throttle.hit("mail", user.email.key)
        async with self.uow() as tx:
            user = (await tx.users.get(person.user)).ask_deletion(now)
            await _check_owns_no_team(tx, user)
            for each, _ in await tx.workspaces.of_user(user.id):
                if each.kind is Kind.PERSONAL:
                    await check_pays_nothing(tx, each.id)
            await tx.users.save(user)
            await end_sessions(tx, user.id, self.clock, but=person.session)
            deletes_at = user.deletes_at or now
            facts = {"name": user.name, "date": f"{deletes_at:%Y-%m-%d}"}
            await self.post(tx, Mail(to=user.email.text, template="deletion_asked", facts=facts))
        return deletes_at

    async def cancel(self, person: Person) -> None:
        """Raises DeletionNotAsked, TooManyAttempts, UserMissing."""
        await self.throttle.hit("mail", str(person.user))
        async with self.uow() as tx:
            user = (await tx.users.get(person.user)).cancel_deletion()
            await tx.users.save(user)
            await self.post(tx, Mail(to=user.email.text, template="deletion_cancelled", facts={}))


@dataclass(frozen=True, slots=True)
class Erased:
    """``kept``: those who own a team again, and are left as they are."""

    erased: Sequence[UserId]
    kept: Sequence[UserId]


@dataclass(frozen=True, slots=True, kw_only=True)
class EraseUsers:
    """Everybody whose grace is over. Any number of processes may run it at once.

    Members' places, keys and the personal workspace go; the books of workspaces name keys and not people, and
    stay. So does the audit log: it names who did something by an id that then leads to nobody, and from
    where, which is kept as evidence.
    """

    uow: UnitOfWork[PersonalDataTx]
    revoke_keys: RevokeKeys
    clock: Clock
    record: Record

    async def __call__(self) -> Erased:
        now, erased, kept = self.clock.now(), list[UserId](), list[UserId]()
        while True:
            async with self.uow() as tx:
                user = await tx.personal.due(now, but=kept)
                if user is None:
                    return Erased(erased, kept)
                try:
                    await _check_owns_no_team(tx, user)
                except StillOwner:
                    kept.append(user.id)
                    continue
                await self._erase(tx, user, now)
            erased.append(user.id)

    async def _erase(self, tx: PersonalDataTx, user: User, now: datetime) -> None:
        actor = Operator()
        for place in (await tx.personal.held(user)).memberships:
            try:
                workspace = await tx.workspaces.get(place.workspace)
            except WorkspaceMissing:
                continue  # it was deleted, with its keys
            if workspace.kind is Kind.PERSONAL:
                await self.revoke_keys(tx, actor, workspace.id)
                await tx.workspaces.save(workspace.erase(now))
                await leave(tx, workspace.id)
                target = workspace_text(workspace.id)
                await self.record(tx, actor, workspace.id, "workspace.erased", target)
                continue
            await tx.members.remove(workspace.id, user.id)
            await self.revoke_keys(tx, actor, workspace.id, maker=user.id)
            target = user_text(user.id)
            await self.record(tx, actor, workspace.id, "member.erased", target, before=facts_of(place))
        await tx.personal.erase(user, now)


async def _check_owns_no_team(tx: PersonalDataTx, user: User) -> None:
    """Raises StillOwner."""
    places = await tx.workspaces.of_user(user.id)
    owned = [each.id for each, role in places if role is Role.OWNER and each.kind is Kind.TEAM]
    if owned:
        raise StillOwner(tuple(owned))
