"""Members are seen, changed, removed; the ownership goes over; seats are kept to."""

from dataclasses import replace

import pytest

from application.workspaces.members import (
    ChangeMember,
    ListMembers,
    RemoveMember,
    SetSeats,
    TransferOwnership,
)
from domain.billing.subscription import Status
from domain.ids import UserId, WorkspaceId, user_text
from domain.keys.errors import ApiKeySuspended
from domain.keys.key import KeyKind
from domain.workspaces.errors import (
    MemberMissing,
    OwnerStays,
    PersonalWorkspace,
    SeatsNeeded,
    SeatsSold,
    SeatsTaken,
)
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing
from tests.fakes.clock import NOON
from tests.fakes.office import OPERATOR, FakeOffice
from tests.fakes.till import subscribed


@pytest.fixture
def office() -> FakeOffice:
    office = FakeOffice()
    office.seat(3)
    return office


def changing(office: FakeOffice) -> ChangeMember:
    return ChangeMember(office.work, office.clock, office.record)


def removing(office: FakeOffice) -> RemoveMember:
    return RemoveMember(office.work, office.revoke_keys, office.record)


async def test_members_are_listed_page_by_page(office: FakeOffice) -> None:
    every = [office.joined(name=name).person.user for name in ("Ada", "Bob", "Cid")]
    listing = ListMembers(office.work)
    first = await listing(OPERATOR, office.workspace.id, after=None, limit=2)
    assert ([each.name for each in first.items], first.more) == (["Ada", "Bob"], True)
    rest = await listing(OPERATOR, office.workspace.id, after=every[1], limit=2)
    assert [each.membership.user for each in rest.items] == every[2:]
    assert rest.items[0].email == f"{every[2].hex}@example.org"
    assert not rest.more


async def test_a_role_is_changed_and_told(office: FakeOffice) -> None:
    admin, member = office.joined(Role.ADMIN), office.joined()
    changed = await changing(office)(admin, member.person.user, role=Role.ADMIN)
    assert office.work.members[office.workspace.id, member.person.user] == changed
    (entry,) = office.work.entries
    assert (entry.action, entry.target) == ("member.changed", user_text(member.person.user))
    assert (entry.before, entry.after) == ({"role": "member"}, {"role": "admin"})
    await changing(office)(admin, member.person.user, role=Role.ADMIN)
    assert len(office.work.entries) == 1


async def test_a_disabled_member_leaves_a_seat_and_the_keys_wait(office: FakeOffice) -> None:
    admin, member = office.joined(Role.ADMIN), office.joined()
    key = await office.create_key(member, KeyKind.LIVE, name="ci", account=office.account.id)
    await changing(office)(admin, member.person.user, disabled=True)
    with pytest.raises(ApiKeySuspended, match="whoever made the API key is disabled"):
        await office.authenticate.customer(key.text)
    assert await changing(office)(admin, member.person.user, disabled=True)
    office.joined()
    office.joined()
    with pytest.raises(SeatsTaken):
        await changing(office)(admin, member.person.user, disabled=False)
    office.seat(4)
    await changing(office)(admin, member.person.user, disabled=False)
    await changing(office)(admin, member.person.user, disabled=False)
    assert (await office.authenticate.customer(key.text)).key == key.key.id


async def test_who_is_no_member_is_missing(office: FakeOffice) -> None:
    admin, nobody = office.joined(Role.ADMIN), UserId(office.new_id())
    for use in (changing(office), removing(office)):
        with pytest.raises(MemberMissing):
            await use(admin, nobody)


async def test_a_removed_members_keys_are_revoked_and_no_others(office: FakeOffice) -> None:
    admin, member = office.joined(Role.ADMIN), office.joined()
    theirs = [
        await office.create_key(member, KeyKind.LIVE, name="ci", account=office.account.id) for _ in range(2)
    ]
    await office.revoke_key(OPERATOR, theirs[0].key.id)
    other = await office.create_key(admin, KeyKind.LIVE, name="ci", account=office.account.id)
    await removing(office)(admin, member.person.user)
    assert (office.workspace.id, member.person.user) not in office.work.members
    revoked = {each.id for each in office.work.keys.values() if each.revoked_at is not None}
    assert revoked == {each.key.id for each in theirs}
    assert other.key.id not in revoked
    assert [each.action for each in office.work.entries[-2:]] == ["key.revoked", "member.removed"]


async def test_one_leaves_but_not_the_owner(office: FakeOffice) -> None:
    owner, member = office.joined(Role.OWNER), office.joined()
    await removing(office)(member, member.person.user)
    assert office.work.entries[-1].action == "member.left"
    with pytest.raises(OwnerStays):
        await removing(office)(owner, owner.person.user)


async def test_the_ownership_goes_to_an_enabled_member(office: FakeOffice) -> None:
    owner, heir, admin = office.joined(Role.OWNER), office.joined(), office.joined(Role.ADMIN)
    handing = TransferOwnership(office.work, office.record)
    await changing(office)(admin, heir.person.user, disabled=True)
    with pytest.raises(MemberMissing):
        await handing(owner, heir.person.user)
    await changing(office)(admin, heir.person.user, disabled=False)
    await handing(owner, owner.person.user)
    await handing(owner, heir.person.user)
    roles = {each.user: each.role for each in office.work.members.values()}
    assert roles[owner.person.user] is Role.ADMIN
    assert roles[heir.person.user] is Role.OWNER
    entry = office.work.entries[-1]
    assert (entry.action, entry.after) == ("workspace.transferred", {"owner": user_text(heir.person.user)})
    with pytest.raises(MemberMissing):
        await handing(owner, heir.person.user)


async def test_a_personal_workspace_keeps_its_owner_and_its_seat(office: FakeOffice) -> None:
    owner = office.joined(Role.OWNER)
    personal = Workspace(id=WorkspaceId(office.workspace.id), name="Ada", kind=Kind.PERSONAL, created_at=NOON)
    office.work.workspaces[personal.id] = personal
    with pytest.raises(PersonalWorkspace):
        await TransferOwnership(office.work, office.record)(owner, owner.person.user)
    with pytest.raises(PersonalWorkspace):
        await SetSeats(office.work, office.record)(OPERATOR, personal.id, 5)


async def test_the_operator_sets_the_seats_but_not_below_who_sits(office: FakeOffice) -> None:
    office.joined()
    office.joined()
    setting = SetSeats(office.work, office.record)
    assert (await setting(OPERATOR, office.workspace.id, 2)).seats == 2
    await setting(OPERATOR, office.workspace.id, 2)
    (entry,) = office.work.entries
    assert (entry.action, entry.before, entry.after) == ("workspace.seats", {"seats": 3}, {"seats": 2})
    with pytest.raises(SeatsNeeded):
        await setting(OPERATOR, office.workspace.id, 1)
    with pytest.raises(WorkspaceMissing):
        await setting(OPERATOR, WorkspaceId(office.new_id()), 2)


async def test_seats_that_are_bought_are_not_given(office: FakeOffice) -> None:
    one = subscribed(office.account.id)
    office.work.till.subscriptions[one.id] = (one, 1)
    with pytest.raises(SeatsSold, match="follow the subscription of api"):
        await SetSeats(office.work, office.record)(OPERATOR, office.workspace.id, 9)
    office.work.till.subscriptions[one.id] = (replace(one, status=Status.CANCELED), 2)
    assert (await SetSeats(office.work, office.record)(OPERATOR, office.workspace.id, 9)).seats == 9
