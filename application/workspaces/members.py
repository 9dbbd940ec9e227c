"""Who belongs to a workspace: seen, given another role, disabled, removed; and who owns it.

Every change locks the workspace first, so that of two at once the second sees what the first has left.
"""

from dataclasses import dataclass
from typing import Protocol

from application.actor import Member, Operator
from application.audit.ports import AuditTx
from application.audit.record import Record
from application.billing.ports import Subscriptions
from application.keys.keys import RevokeKeys
from application.keys.ports import KeysTx
from application.pages import Page
from application.ports import Clock, UnitOfWork
from application.workspaces.ports import Members, MemberShown, WorkspaceAccounts, Workspaces
from domain.audit.entry import Facts, changes
from domain.billing.standing import counting
from domain.ids import UserId, WorkspaceId, user_text, workspace_text
from domain.workspaces.errors import MemberMissing, SeatsSold
from domain.workspaces.member import Membership, transfer
from domain.workspaces.role import Role
from domain.workspaces.workspace import Workspace


class SeatsTx(AuditTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def members(self) -> Members: ...

    @property
    def accounts(self) -> WorkspaceAccounts: ...

    @property
    def subscriptions(self) -> Subscriptions: ...


class MembersTx(KeysTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def members(self) -> Members: ...


@dataclass(frozen=True, slots=True)
class ListMembers:
    uow: UnitOfWork[MembersTx]

    async def __call__(
        self, _: Member | Operator, workspace: WorkspaceId, *, after: UserId | None, limit: int
    ) -> Page[MemberShown]:
        async with self.uow() as tx:
            found = await tx.members.shown(workspace, after=after, limit=limit + 1)
        return Page.of(found, limit)


@dataclass(frozen=True, slots=True)
class ChangeMember:
    """Another role, disabled, enabled again. What is None stays as it is."""

    uow: UnitOfWork[MembersTx]
    clock: Clock
    record: Record

    async def __call__(
        self, actor: Member, user: UserId, *, role: Role | None = None, disabled: bool | None = None
    ) -> Membership:
        """Raises MemberMissing, OwnerStays, SeatsTaken."""
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(actor.workspace)
            before = after = await tx.members.get(actor.workspace, user)
            if role is not None and role is not before.role:
                after = after.become(role)
            if disabled:
                after = after.disable(self.clock.now())
            elif disabled is False and not after.enabled:
                workspace.check_seat(await tx.members.enabled(workspace.id))
                after = after.enable()
            if after != before:
                was, now = changes(facts_of(before), facts_of(after))
                await self.record(
                    tx, actor, workspace.id, "member.changed", user_text(user), before=was, after=now
                )
                await tx.members.save(after)
        return after


@dataclass(frozen=True, slots=True)
class RemoveMember:
    """With the keys that somebody made there: their secrets are still known to who has left."""

    uow: UnitOfWork[MembersTx]
    revoke_keys: RevokeKeys
    record: Record

    async def __call__(self, actor: Member, user: UserId) -> None:
        """Raises MemberMissing, OwnerStays."""
        async with self.uow() as tx:
            await tx.workspaces.get(actor.workspace)
            member = await tx.members.get(actor.workspace, user)
            member.check_not_owner()
            await self.revoke_keys(tx, actor, actor.workspace, maker=user)
            action = "member.left" if user == actor.person.user else "member.removed"
            await self.record(tx, actor, actor.workspace, action, user_text(user), before=facts_of(member))
            await tx.members.remove(actor.workspace, user)


@dataclass(frozen=True, slots=True)
class TransferOwnership:
    uow: UnitOfWork[MembersTx]
    record: Record

    async def __call__(self, actor: Member, heir: UserId) -> None:
        """Raises MemberMissing, also for a disabled one; PersonalWorkspace."""
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(actor.workspace)
            workspace.check_team()
            owner = await tx.members.get(workspace.id, actor.person.user)
            member = await tx.members.get(workspace.id, heir)
            if owner.role is not Role.OWNER or not member.enabled:
                raise MemberMissing
            if heir == owner.user:
                return
            for each in transfer(owner, member):  # in this order: there are never two owners
                await tx.members.save(each)
            await self.record(
                tx,
                actor,
                workspace.id,
                "workspace.transferred",
                workspace_text(workspace.id),
                before={"owner": user_text(owner.user)},
                after={"owner": user_text(heir)},
            )


@dataclass(frozen=True, slots=True)
class SetSeats:
    """By hand, where nobody buys them."""

    uow: UnitOfWork[SeatsTx]
    record: Record

    async def __call__(self, actor: Operator, id: WorkspaceId, seats: int) -> Workspace:
        """Raises WorkspaceMissing, PersonalWorkspace, SeatsNeeded, SeatsSold."""
        async with self.uow() as tx:
            before = await tx.workspaces.get(id)
            for account in await tx.accounts.of(id):
                if counting(await tx.subscriptions.of(account.id)) is not None:
                    raise SeatsSold(account.plan.product)
            after = before.with_seats(seats, await tx.members.enabled(id))
            if after != before:
                await tx.workspaces.save(after)
                was, now = {"seats": before.seats}, {"seats": seats}
                target = workspace_text(id)
                await self.record(tx, actor, id, "workspace.seats", target, before=was, after=now)
        return after


def facts_of(member: Membership) -> Facts:
    """For the audit log."""
    return {"role": member.role, "disabled": not member.enabled}
