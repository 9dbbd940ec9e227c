from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from application.actor import Member, Person
from application.audit.record import Record
from application.catalog.ports import Catalog
from application.identity.ports import Throttle
from application.ports import Clock, NewId, UnitOfWork
from application.workspaces.ports import Members, WorkspacesTx
from application.workspaces.workspaces import Opened
from domain.audit.entry import Facts, changes
from domain.ids import AccountId, PlanRef, WorkspaceId, workspace_text
from domain.usage.account import Account
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace, check_name, check_slug

PRODUCT, PLAN = "api", "free"


class TeamsTx(WorkspacesTx, Protocol):
    @property
    def members(self) -> Members: ...


@dataclass(frozen=True, slots=True)
class CreateTeam:
    """A workspace for a team, with its owner and an account on the newest free plan."""

    uow: UnitOfWork[TeamsTx]
    catalog: Catalog
    clock: Clock
    new_id: NewId
    record: Record
    throttle: Throttle

    async def __call__(self, person: Person, name: str, slug: str | None = None) -> Opened:
        """Raises NameRefused, SlugRefused, SlugTaken, PlanMissing, TooManyAttempts."""
        await self.throttle.hit("workspace", str(person.user))  # each comes with credits
        plan = await self.catalog.newest_plan(PRODUCT, PLAN)
        now = self.clock.now()
        workspace = Workspace(
            id=WorkspaceId(self.new_id()),
            name=check_name(name),
            kind=Kind.TEAM,
            created_at=now,
            seats=plan.seats,
            slug=None if slug is None else check_slug(slug),
        )
        account = Account(
            id=AccountId(self.new_id()),
            workspace=workspace.id,
            plan=PlanRef(plan.product, plan.key, plan.version),
            frozen=False,
            anchor=now,
        )
        owner = Membership(workspace=workspace.id, user=person.user, role=Role.OWNER, joined_at=now)
        actor = Member(person=person, workspace=workspace.id, role=Role.OWNER)
        facts = {"name": workspace.name, "kind": workspace.kind, "plan": str(account.plan)}
        async with self.uow() as tx:
            await tx.workspaces.add(workspace)
            await tx.accounts.add(account)
            await tx.members.add(owner)
            target = workspace_text(workspace.id)
            await self.record(tx, actor, workspace.id, "workspace.created", target, after=facts)
        return Opened(workspace, (account,))


@dataclass(frozen=True, slots=True)
class ReadTeam:
    uow: UnitOfWork[TeamsTx]

    async def __call__(self, member: Member) -> Opened:
        """With its accounts. Raises WorkspaceMissing."""
        async with self.uow() as tx:
            workspace = await tx.workspaces.get(member.workspace)
            accounts: Sequence[Account] = await tx.accounts.of(member.workspace)
        return Opened(workspace, accounts)


@dataclass(frozen=True, slots=True)
class ListMine:
    uow: UnitOfWork[TeamsTx]

    async def __call__(self, person: Person) -> Sequence[tuple[Workspace, Role]]:
        """The oldest first."""
        async with self.uow() as tx:
            return await tx.workspaces.of_user(person.user)


@dataclass(frozen=True, slots=True)
class UpdateWorkspace:
    """A new name, a new slug. What is None stays as it is."""

    uow: UnitOfWork[TeamsTx]
    record: Record

    async def __call__(self, actor: Member, *, name: str | None, slug: str | None) -> Opened:
        """Raises NameRefused, SlugRefused, SlugTaken, WorkspaceMissing."""
        async with self.uow() as tx:
            before = await tx.workspaces.get(actor.workspace)
            after = replace(
                before,
                name=before.name if name is None else check_name(name),
                slug=before.slug if slug is None else check_slug(slug),
            )
            if after != before:
                await tx.workspaces.save(after)
                was, now = changes(_facts_of(before), _facts_of(after))
                target = workspace_text(after.id)
                await self.record(tx, actor, after.id, "workspace.updated", target, before=was, after=now)
            return Opened(after, await tx.accounts.of(after.id))


def _facts_of(workspace: Workspace) -> Facts:
    """For the audit log, which is never erased: without the name of one that is called like its owner."""
    named = {} if workspace.kind is Kind.PERSONAL else {"name": workspace.name}
    return {**named, "slug": workspace.slug}
