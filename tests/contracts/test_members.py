"""Members, invitations and slugs as they are kept, by the fake and by PostgreSQL."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import pytest

from application.actor import Member, Person
from application.audit.record import Record
from application.keys.keys import CreateKey, RevokeKeys, TellKey
from application.notifications.post import PostMail
from application.workspaces.invitations import AcceptInvitation
from application.workspaces.members import ChangeMember, RemoveMember
from domain.email import Email
from domain.errors import DomainError
from domain.identity.user import User
from domain.ids import AccountId, InvitationId, PlanRef, SessionId, UserId, WorkspaceId
from domain.keys.key import KeyKind
from domain.usage.account import Account
from domain.workspaces.errors import InvitationMissing, MemberMissing, SeatsTaken, SlugTaken
from domain.workspaces.invitation import LASTS, Invitation, token_digest
from domain.workspaces.member import Membership, transfer
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing
from tests.fakes.clock import NOON, SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.people import PlainSecrecy
from tests.fakes.unit_of_work import FakeTx

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]
new_id = CountedIds()


async def a_workspace(uow: Uow, *, seats: int = 3, slug: str | None = None) -> Workspace:
    id = WorkspaceId(new_id())
    workspace = Workspace(id=id, name="Acme", kind=Kind.TEAM, created_at=NOON, seats=seats, slug=slug)
    async with uow() as tx:
        await tx.workspaces.add(workspace)
    return workspace


async def a_user(uow: Uow, name: str = "Ada") -> User:
    id = UserId(new_id())
    email = Email(f"{id.hex}@Example.org", f"{id.hex}@example.org")
    user = User(id=id, email=email, name=name, password=None, created_at=NOON, confirmed_at=NOON)
    async with uow() as tx:
        await tx.users.add(user)
    return user


async def a_member(uow: Uow, workspace: Workspace, role: Role = Role.MEMBER, name: str = "Ada") -> Membership:
    user = await a_user(uow, name)
    member = Membership(workspace=workspace.id, user=user.id, role=role, joined_at=NOON)
    async with uow() as tx:
        await tx.members.add(member)
    return member


def an_invitation(workspace: Workspace, by: UserId, email: Email, token: str = "") -> Invitation:
    return Invitation(
        workspace=workspace.id,
        id=InvitationId(new_id()),
        email=email,
        role=Role.MEMBER,
        digest=token_digest(token or uuid4().hex),
        invited_by=by,
        created_at=NOON,
        expires_at=NOON + LASTS,
    )


async def test_members_are_kept_changed_and_removed(uow: Uow) -> None:
    workspace = await a_workspace(uow)
    owner, member = await a_member(uow, workspace, Role.OWNER, "Olga"), await a_member(uow, workspace)
    other = await a_member(uow, await a_workspace(uow))
    disabled = member.disable(NOON)
    async with uow() as tx:
        assert await tx.members.get(workspace.id, member.user) == member
        assert await tx.members.find(workspace.id, member.user) == member
        assert await tx.members.find(workspace.id, other.user) is None
        assert await tx.members.enabled(workspace.id) == 2
        await tx.members.save(disabled)
    async with uow() as tx:
        assert await tx.members.enabled(workspace.id) == 1
        shown = await tx.members.shown(workspace.id, after=None, limit=10)
        assert [(each.membership, each.name) for each in shown] == [(owner, "Olga"), (disabled, "Ada")]
        assert shown[0].email == f"{owner.user.hex}@Example.org"
        assert [
            each.membership for each in await tx.members.shown(workspace.id, after=owner.user, limit=1)
        ] == [disabled]
        assert await tx.members.has(workspace.id, f"{member.user.hex}@example.org")
        assert not await tx.members.has(workspace.id, f"{other.user.hex}@example.org")
        assert not await tx.members.has(workspace.id, "nobody@example.org")
        await tx.members.remove(workspace.id, member.user)
    async with uow() as tx:
        with pytest.raises(MemberMissing):
            await tx.members.get(workspace.id, member.user)


async def test_ownership_goes_over_in_one_step(uow: Uow) -> None:
    workspace = await a_workspace(uow)
    owner, member = await a_member(uow, workspace, Role.OWNER), await a_member(uow, workspace)
    async with uow() as tx:
        for each in transfer(owner, member):
            await tx.members.save(each)
    async with uow() as tx:
        assert (await tx.members.get(workspace.id, member.user)).role is Role.OWNER


async def test_invitations_are_kept_found_and_ended(uow: Uow) -> None:
    workspace, other = await a_workspace(uow), await a_workspace(uow)
    by = await a_user(uow)
    one = an_invitation(workspace, by.id, Email("Eve@x.org", "eve@x.org"))
    two = an_invitation(workspace, by.id, Email("Bob@x.org", "bob@x.org"))
    async with uow() as tx:
        for each in (one, two):
            await tx.invitations.add(each)
    async with uow() as tx:
        assert await tx.invitations.get(workspace.id, one.id) == one
        assert await tx.invitations.by_digest(one.digest) == one
        assert await tx.invitations.by_digest(b"none") is None
        assert await tx.invitations.open(workspace.id) == [one, two]
        assert await tx.invitations.open(other.id) == []
        with pytest.raises(InvitationMissing):
            await tx.invitations.get(other.id, one.id)
        await tx.invitations.save(one.revoke(NOON))
        await tx.invitations.save(two.renew(b"new", NOON + timedelta(days=1)))
    async with uow() as tx:
        assert await tx.invitations.open(workspace.id) == [two.renew(b"new", NOON + timedelta(days=1))]
        again = an_invitation(workspace, by.id, one.email)
        await tx.invitations.add(again)
    async with uow() as tx:
        assert [each.id for each in await tx.invitations.open(workspace.id)] == [two.id, again.id]


async def test_a_slug_is_one_workspaces_until_that_is_deleted(uow: Uow) -> None:
    slug = f"s-{uuid4().hex[:20]}"
    first, second = await a_workspace(uow, slug=slug), await a_workspace(uow)
    async with uow() as tx:
        with pytest.raises(SlugTaken):
            await tx.workspaces.save(replace(second, slug=slug))
        await tx.workspaces.save(replace(second, name="Labs"))
    async with uow() as tx:
        assert (await tx.workspaces.get(second.id)).name == "Labs"
        await tx.workspaces.save(first.delete("Acme", NOON))
    async with uow() as tx:
        with pytest.raises(WorkspaceMissing):
            await tx.workspaces.get(first.id)
        await tx.workspaces.save(replace(second, slug=slug))
        kept = {each.id: each for each in await tx.workspaces.all()}
        assert kept[first.id].deleted_at == NOON


async def test_ones_workspaces_are_those_where_one_is_enabled(uow: Uow) -> None:
    first, second, third = [await a_workspace(uow) for _ in range(3)]
    user = await a_user(uow)
    async with uow() as tx:
        for each, role in ((first, Role.OWNER), (second, Role.MEMBER), (third, Role.ADMIN)):
            await tx.members.add(Membership(workspace=each.id, user=user.id, role=role, joined_at=NOON))
        await tx.members.save((await tx.members.get(second.id, user.id)).disable(NOON))
    async with uow() as tx:
        assert await tx.workspaces.of_user(user.id) == [(first, Role.OWNER), (third, Role.ADMIN)]
        await tx.workspaces.save(third.delete("Acme", NOON))
    async with uow() as tx:
        assert await tx.workspaces.of_user(user.id) == [(first, Role.OWNER)]


async def outcome(work: Awaitable[object]) -> str:
    try:
        await work
    except DomainError as refusal:
        return refusal.code
    return "done"


async def test_of_many_who_accept_or_are_enabled_at_once_as_many_sit_as_there_are_seats(uow: Uow) -> None:
    workspace = await a_workspace(uow, seats=4)
    owner = await a_member(uow, workspace, Role.OWNER)
    record, clock = Record(SetClock(), CountedIds()), SetClock()
    admin = actor_of(owner)
    accept, change = AcceptInvitation(uow, clock, record), ChangeMember(uow, clock, record)
    works: list[Awaitable[object]] = []
    for at in range(6):
        user, token = await a_user(uow), f"{workspace.id} {at}"
        disabled = await a_member(uow, workspace)
        async with uow() as tx:
            await tx.invitations.add(an_invitation(workspace, owner.user, user.email, token))
            await tx.members.save(disabled.disable(NOON))
        person = Person(user=user.id, session=SessionId(new_id()), address="::1")
        works += [accept(person, token), change(admin, disabled.user, disabled=False)]
    outcomes = sorted(await asyncio.gather(*(outcome(each) for each in works)))
    assert outcomes == ["done"] * 3 + [SeatsTaken.code] * 9
    async with uow() as tx:
        assert await tx.members.enabled(workspace.id) == 4


async def test_who_is_removed_leaves_no_key_that_was_being_made(uow: Uow) -> None:
    """Whichever comes first: a key is made and revoked with the others, or not made."""
    secrets = iter(range(1_000_000))
    for _ in range(5):
        workspace = await a_workspace(uow)
        owner = await a_member(uow, workspace, Role.OWNER)
        leaver = await a_member(uow, workspace, Role.ADMIN)
        account = Account(
            id=AccountId(new_id()),
            workspace=workspace.id,
            plan=PlanRef("api", "team", 1),
            frozen=False,
            anchor=NOON,
        )
        async with uow() as tx:
            await tx.accounts.add(account)
        record, clock = Record(SetClock(), CountedIds()), SetClock()
        tell = TellKey(PostMail(PlainSecrecy()))
        create = CreateKey(uow, clock, CountedIds(), lambda _: uuid4().bytes + uuid4().bytes, record, tell)
        remove = RemoveMember(uow, RevokeKeys(clock, record), record)
        going, boss = actor_of(leaver), actor_of(owner)
        outcomes = await asyncio.gather(
            *(
                outcome(create(going, KeyKind.LIVE, name=f"{next(secrets)}", account=account.id))
                for _ in range(4)
            ),
            outcome(remove(boss, leaver.user)),
        )
        assert outcomes[-1] == "done"
        assert set(outcomes) <= {"done", "workspace_missing"}
        async with uow() as tx:
            keys = await tx.keys.of(workspace.id)
        assert len(keys) == outcomes[:-1].count("done")
        assert all(each.revoked_at is not None for each in keys)


def actor_of(member: Membership) -> Member:
    person = Person(user=member.user, session=SessionId(new_id()), address="::1")
    return Member(person=person, workspace=member.workspace, role=member.role)
