"""Somebody changes, takes along and deletes what is held about them."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from application.actor import Person
from domain.audit.entry import ActorKind, Entry
from domain.billing.errors import StillSubscribed
from domain.billing.events import CustomerGone
from domain.billing.subscription import Subscription
from domain.email import parse_email
from domain.identity.deletion import DeletionNotAsked, SignInAgain, StillOwner
from domain.identity.elsewhere import LinkedIdentity
from domain.identity.errors import TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.user import UserMissing
from domain.ids import AccountId, EntryId, InvitationId, KeyId, UserId, WorkspaceId, workspace_text
from domain.keys.key import Key, KeyKind, digest_of
from domain.workspaces.invitation import LASTS, Invitation
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, NameRefused, Workspace
from tests.fakes.clock import NOON
from tests.fakes.hall import ADA, GOOD, HERE, Hall
from tests.fakes.till import subscribed

DAY = timedelta(days=1)


@pytest.fixture
async def hall() -> Hall:
    hall = Hall()
    await hall.confirmed()
    return hall


@pytest.fixture
async def person(hall: Hall) -> Person:
    _, person = await hall.signed_in()
    return person


def a_team(hall: Hall, person: Person, role: Role) -> Workspace:
    id = WorkspaceId(hall.new_id())
    workspace = Workspace(id=id, name="Acme", kind=Kind.TEAM, created_at=NOON)
    hall.work.workspaces[id] = workspace
    member = Membership(workspace=id, user=person.user, role=role, joined_at=NOON)
    hall.work.members[id, person.user] = member
    return workspace


def a_key(hall: Hall, workspace: WorkspaceId, maker: UserId | None) -> Key:
    key = Key(
        id=KeyId(hall.new_id()),
        kind=KeyKind.LIVE,
        digest=digest_of(uuid4().hex),
        name="ci",
        last_four="abcd",
        workspace=workspace,
        account=AccountId(hall.new_id()),
        created_at=NOON,
        created_by=maker,
    )
    hall.work.keys[key.id] = key
    return key


def an_invitation(hall: Hall, workspace: WorkspaceId, address: str) -> Invitation:
    invitation = Invitation(
        workspace=workspace,
        id=InvitationId(hall.new_id()),
        email=parse_email(address),
        role=Role.MEMBER,
        digest=b"",
        invited_by=UserId(hall.new_id()),
        created_at=NOON,
        expires_at=NOON + LASTS,
    )
    hall.work.invitations[invitation.id] = invitation
    return invitation


async def test_one_changes_ones_name(hall: Hall, person: Person) -> None:
    assert (await hall.change_me(person, name=" Ada L. ")).user.name == "Ada L."
    assert (await hall.change_me(person, name=None)).user.name == "Ada L."
    with pytest.raises(NameRefused):
        await hall.change_me(person, name="\n")


async def test_one_takes_along_all_that_is_held(hall: Hall, person: Person) -> None:
    team = a_team(hall, person, Role.MEMBER)
    key, _ = a_key(hall, team.id, person.user), a_key(hall, team.id, None)
    invited = an_invitation(hall, team.id, ADA.text)
    an_invitation(hall, team.id, "eve@example.org")
    link = LinkedIdentity(provider="google", subject="1", user=person.user, linked_at=NOON)
    hall.work.identities["google", "1"] = link
    entry = Entry(
        workspace=team.id,
        id=EntryId(hall.new_id()),
        at=NOON,
        actor_kind=ActorKind.USER,
        actor=person.user,
        address=HERE,
        action="key.created",
        target="key",
    )
    hall.work.entries += [entry, replace(entry, actor=uuid4())]
    held = await hall.export_me(person)
    assert held.user.email == ADA
    assert [each.id for each in held.sessions] == [person.session]
    assert (held.keys, held.invitations, held.identities) == ([key], [invited], [link])
    assert held.entries == [entry]
    assert {each.workspace for each in held.memberships} == set(hall.work.workspaces)


async def test_a_deletion_is_asked_for_and_taken_back(hall: Hall, person: Person) -> None:
    await hall.signed_in()
    at = await hall.delete_me.ask(person, GOOD)
    assert at == NOON + 30 * DAY
    assert (hall.mail.template, hall.mail.facts["date"]) == ("deletion_asked", "2026-12-23")
    assert [each.id for each in await hall.list_sessions(person)] == [person.session]
    hall.clock.pass_by(DAY)
    assert await hall.delete_me.ask(person, GOOD) == at
    await hall.signed_in()
    await hall.delete_me.cancel(person)
    assert hall.mail.template == "deletion_cancelled"
    with pytest.raises(DeletionNotAsked, match="no deletion to take back"):
        await hall.delete_me.cancel(person)
    hall.clock.pass_by(60 * DAY)
    assert (await hall.erase()).erased == []


@pytest.mark.parametrize("password", [None, "quite another password"])
async def test_it_asks_for_the_password(hall: Hall, person: Person, password: str | None) -> None:
    with pytest.raises(PasswordRefused):
        await hall.delete_me.ask(person, password)
    assert hall.user().deletes_at is None


async def test_its_mails_are_throttled(hall: Hall, person: Person) -> None:
    hall.throttle.used_up.add("mail")
    with pytest.raises(TooManyAttempts):
        await hall.delete_me.ask(person, GOOD)
    with pytest.raises(TooManyAttempts):
        await hall.delete_me.cancel(person)
    assert hall.user().deletes_at is None


async def test_who_has_no_password_signs_in_again_for_it(hall: Hall, person: Person) -> None:
    hall.work.users[person.user] = replace(hall.user(), password=None)
    hall.clock.pass_by(timedelta(minutes=10))
    with pytest.raises(SignInAgain, match="more than 10 minutes ago"):
        await hall.delete_me.ask(person, None)
    hall.clock.pass_by(-timedelta(seconds=1))
    assert await hall.delete_me.ask(person, None)


async def test_an_owner_hands_the_team_over_first(hall: Hall, person: Person) -> None:
    team = a_team(hall, person, Role.OWNER)
    with pytest.raises(StillOwner, match=workspace_text(team.id)):
        await hall.delete_me.ask(person, GOOD)
    hall.work.members.pop((team.id, person.user))
    await hall.delete_me.ask(person, GOOD)
    a_team(hall, person, Role.OWNER)
    hall.clock.pass_by(31 * DAY)
    done = await hall.erase()
    assert (done.erased, done.kept) == ([], [person.user])
    assert hall.user().email == ADA


def a_subscription(hall: Hall, person: Person) -> Subscription:
    """To what the personal workspace has."""
    [account] = hall.work.accounts.values()
    subscription = subscribed(account.id)
    hall.work.till.customers[account.workspace] = ("cus_1", None)
    hall.work.till.subscriptions[subscription.id] = (subscription, 1)
    return subscription


async def test_who_still_pays_cancels_first(hall: Hall, person: Person) -> None:
    subscription = a_subscription(hall, person)
    with pytest.raises(StillSubscribed, match="still pays for personal: cancel"):
        await hall.delete_me.ask(person, GOOD)
    assert hall.user().deletes_at is None
    ends = replace(subscription, cancel_at=NOON + DAY)
    hall.work.till.subscriptions[subscription.id] = (ends, 2)
    await hall.delete_me.ask(person, GOOD)


async def test_who_subscribed_in_the_time_of_grace_pays_no_more_after_it(hall: Hall, person: Person) -> None:
    await hall.delete_me.ask(person, GOOD)
    subscription = a_subscription(hall, person)
    hall.clock.pass_by(31 * DAY)
    assert (await hall.erase()).erased == [person.user]
    [account] = [each for each in hall.work.accounts.values() if each.id == subscription.account]
    assert hall.work.posted[-1].event == CustomerGone(workspace=account.workspace)


async def test_after_the_grace_nothing_personal_is_left(hall: Hall, person: Person) -> None:
    (own,) = hall.work.workspaces.values()
    team, gone = a_team(hall, person, Role.ADMIN), a_team(hall, person, Role.MEMBER)
    hall.work.workspaces[gone.id] = gone.delete("Acme", NOON)
    own_key = a_key(hall, own.id, None)
    made, other = a_key(hall, team.id, person.user), a_key(hall, team.id, None)
    an_invitation(hall, team.id, ADA.text)
    kept = an_invitation(hall, team.id, "eve@example.org")
    await hall.enroll(person, GOOD)
    await hall.delete_me.ask(person, GOOD)
    hall.clock.pass_by(30 * DAY - timedelta(seconds=1))
    assert (await hall.erase()).erased == []
    hall.clock.pass_by(timedelta(seconds=1))
    assert (await hall.erase()).erased == [person.user]
    work = hall.work
    assert (work.users, work.sessions, work.tokens, work.second_factors) == ({}, {}, {}, {})
    assert list(work.invitations) == [kept.id]
    assert (team.id, person.user) not in work.members
    assert work.workspaces[own.id].name == "erased"
    assert work.workspaces[own.id].deleted_at is not None
    revoked = {each.id for each in work.keys.values() if each.revoked_at is not None}
    assert revoked == {own_key.id, made.id}
    assert other.id not in revoked
    assert {"member.erased", "workspace.erased", "key.revoked"} == {each.action for each in work.entries}
    assert ADA.text not in str(work.entries)
    with pytest.raises(UserMissing):
        await hall.read_me(person)
    assert (await hall.erase()).erased == []
    await hall.confirmed()
    assert hall.user().id != person.user
