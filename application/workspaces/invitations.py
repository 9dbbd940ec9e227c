"""People are asked into a workspace by mail. Whether an address has an account, nobody who asks can tell."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.actor import Member, Person
from application.audit.record import Record
from application.identity.ports import Throttle, Users
from application.keys.ports import Secrets
from application.notifications.post import MailTx, PostMail
from application.ports import Clock, NewId, UnitOfWork
from application.workspaces.members import MembersTx
from application.workspaces.ports import Invitations
from domain.email import Email
from domain.identity.mail import Mail
from domain.ids import InvitationId, invitation_text, user_text
from domain.workspaces.errors import AlreadyInvited, AlreadyMember, InvitationMissing
from domain.workspaces.invitation import LASTS, TOKEN_BYTES, Invitation, token_digest, token_text
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Workspace, WorkspaceMissing


class InvitationsTx(MembersTx, MailTx, Protocol):
    @property
    def invitations(self) -> Invitations: ...

    @property
    def users(self) -> Users: ...


@dataclass(frozen=True, slots=True)
class SendInvitation:
    """The mail, with a token that is kept nowhere."""

    post: PostMail

    async def __call__(
        self, tx: MailTx, invitation: Invitation, token: str, *, inviter: str, workspace: str
    ) -> None:
        facts = {"inviter": inviter, "workspace": workspace, "token": token}
        await self.post(tx, Mail(to=invitation.email.text, template="invitation", facts=facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Each open invitation keeps a seat free."""

    uow: UnitOfWork[InvitationsTx]
    secrets: Secrets
    throttle: Throttle
    send: SendInvitation
    clock: Clock
    new_id: NewId
    record: Record

    async def __call__(self, actor: Member, email: Email, role: Role) -> Invitation:
        """Raises PersonalWorkspace, AlreadyMember, AlreadyInvited, SeatsTaken, TooManyAttempts."""
        await self.throttle.hit("invitation", str(actor.workspace))
        await self.throttle.hit("invitation_to", f"{actor.workspace} {email.key}")
        now, token = self.clock.now(), token_text(self.secrets(TOKEN_BYTES))
        invitation = Invitation(
            workspace=actor.workspace,
            id=InvitationId(self.new_id()),
            email=email,
            role=role,
            digest=token_digest(token),
            invited_by=actor.person.user,
            created_at=now,
            expires_at=now + LASTS,
        )
        async with self.uow() as tx:
            inviter = await tx.users.get(actor.person.user, lock=False)
            workspace = await tx.workspaces.get(actor.workspace)
            workspace.check_team()
            if await tx.members.has(workspace.id, email.key):
                raise AlreadyMember
            there = await tx.invitations.open(workspace.id)
            earlier = next((each for each in there if each.email.key == email.key), None)
            if earlier is not None:
                if earlier.waits(now):
                    raise AlreadyInvited
                await tx.invitations.save(earlier.revoke(now))
            await self._check_seat(tx, workspace, there)
            await tx.invitations.add(invitation)
            target, facts = invitation_text(invitation.id), {"role": role}
            await self.record(tx, actor, workspace.id, "invitation.sent", target, after=facts)
            await self.send(tx, invitation, token, inviter=inviter.name, workspace=workspace.name)
        return invitation

    async def again(self, actor: Member, id: InvitationId) -> Invitation:
        """By another mail, for another seven days; the token before is void.

        Raises InvitationMissing, SeatsTaken, TooManyAttempts.
        """
        now, token = self.clock.now(), token_text(self.secrets(TOKEN_BYTES))
        async with self.uow() as tx:
            found = await tx.invitations.get(actor.workspace, id)
        await self.throttle.hit("invitation", str(actor.workspace))
        await self.throttle.hit("invitation_to", f"{actor.workspace} {found.email.key}")
        async with self.uow() as tx:
            inviter = await tx.users.get(actor.person.user, lock=False)
            workspace = await tx.workspaces.get(actor.workspace)
            before = await tx.invitations.get(workspace.id, id)
            renewed = before.renew(token_digest(token), now)
            if not before.waits(now):
                await self._check_seat(tx, workspace, await tx.invitations.open(workspace.id))
            await tx.invitations.save(renewed)
            await self.record(tx, actor, workspace.id, "invitation.resent", invitation_text(id))
            await self.send(tx, renewed, token, inviter=inviter.name, workspace=workspace.name)
        return renewed

    async def _check_seat(
        self, tx: InvitationsTx, workspace: Workspace, invitations: Sequence[Invitation]
    ) -> None:
        now = self.clock.now()
        waiting = sum(each.waits(now) for each in invitations)
        workspace.check_seat(await tx.members.enabled(workspace.id) + waiting)


@dataclass(frozen=True, slots=True)
class RevokeInvitation:
    uow: UnitOfWork[InvitationsTx]
    clock: Clock
    record: Record

    async def __call__(self, actor: Member, id: InvitationId) -> None:
        """Raises InvitationMissing."""
        async with self.uow() as tx:
            revoked = (await tx.invitations.get(actor.workspace, id)).revoke(self.clock.now())
            await tx.invitations.save(revoked)
            await self.record(tx, actor, actor.workspace, "invitation.revoked", invitation_text(id))


@dataclass(frozen=True, slots=True)
class ListInvitations:
    uow: UnitOfWork[InvitationsTx]

    async def __call__(self, actor: Member) -> Sequence[Invitation]:
        """Neither accepted nor revoked, the oldest first."""
        async with self.uow() as tx:
            return await tx.invitations.open(actor.workspace)


@dataclass(frozen=True, slots=True)
class AcceptInvitation:
    uow: UnitOfWork[InvitationsTx]
    clock: Clock
    record: Record

    async def __call__(self, person: Person, token: str) -> tuple[Workspace, Membership]:
        """Raises InvitationMissing, InvitationExpired, AlreadyMember, SeatsTaken."""
        now, digest = self.clock.now(), token_digest(token)
        async with self.uow() as tx:
            user = await tx.users.get(person.user)
            found = await tx.invitations.by_digest(digest)
            if found is None:
                raise InvitationMissing
            try:
                workspace = await tx.workspaces.get(found.workspace)
            except WorkspaceMissing:
                raise InvitationMissing from None
            invitation = await tx.invitations.get(workspace.id, found.id)
            accepted = invitation.accept(user.email, digest, now)
            if await tx.members.has(workspace.id, user.email.key):
                raise AlreadyMember
            workspace.check_seat(await tx.members.enabled(workspace.id))
            member = Membership(workspace=workspace.id, user=user.id, role=accepted.role, joined_at=now)
            await tx.members.add(member)
            await tx.invitations.save(accepted)
            actor = Member(person=person, workspace=workspace.id, role=member.role)
            facts = {"role": member.role, "invited_by": user_text(accepted.invited_by)}
            await self.record(tx, actor, workspace.id, "member.joined", user_text(user.id), after=facts)
        return workspace, member
