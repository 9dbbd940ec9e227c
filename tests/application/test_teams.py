"""Teams make workspaces of their own."""

from dataclasses import replace

import pytest

from application.workspaces.teams import CreateTeam, ListMine, ReadTeam, UpdateWorkspace
from domain.ids import PlanRef, WorkspaceId
from domain.workspaces.errors import SlugRefused, SlugTaken
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, NameRefused, WorkspaceMissing
from tests.fakes.catalog import PLAN, FakeCatalog
from tests.fakes.clock import NOON
from tests.fakes.office import FakeOffice
from tests.fakes.people import CountedTries


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


def creating(office: FakeOffice) -> CreateTeam:
    catalog = FakeCatalog.of(PLAN, at=NOON)
    return CreateTeam(office.work, catalog, office.clock, office.new_id, office.record, CountedTries())


async def test_whoever_makes_a_workspace_owns_it(office: FakeOffice) -> None:
    person = office.stranger()
    opened = await creating(office)(person, " Acme ")
    workspace, (account,) = opened.workspace, opened.accounts
    assert (workspace.name, workspace.kind, workspace.created_at) == ("Acme", Kind.TEAM, NOON)
    assert account.plan == PlanRef("api", "free", 1)
    (member,) = office.work.members.values()
    assert (member.workspace, member.user, member.role) == (workspace.id, person.user, Role.OWNER)
    (entry,) = office.work.entries
    assert (entry.action, entry.actor, entry.workspace) == ("workspace.created", person.user, workspace.id)
    read = await ReadTeam(office.work)(office.member(workspace=workspace.id))
    assert (read.workspace, list(read.accounts)) == (workspace, [account])


async def test_without_a_name_there_is_none(office: FakeOffice) -> None:
    with pytest.raises(NameRefused):
        await creating(office)(office.stranger(), " ")
    assert office.work.members == {}


async def test_what_is_not_there_is_missing(office: FakeOffice) -> None:
    with pytest.raises(WorkspaceMissing):
        await ReadTeam(office.work)(office.member(workspace=WorkspaceId(office.new_id())))


async def test_ones_workspaces_are_listed_with_what_one_is_there(office: FakeOffice) -> None:
    member = office.joined(Role.ADMIN)
    listing = ListMine(office.work)
    assert await listing(member.person) == [(office.workspace, Role.ADMIN)]
    office.work.workspaces[office.workspace.id] = office.workspace.delete("Acme", NOON)
    assert await listing(member.person) == []


async def test_a_workspace_is_renamed_and_gets_a_slug(office: FakeOffice) -> None:
    updating, member = UpdateWorkspace(office.work, office.record), office.joined(Role.ADMIN)
    renamed = await updating(member, name=" Labs ", slug=None)
    assert renamed.workspace == replace(office.workspace, name="Labs")
    assert list(renamed.accounts) == [office.account]
    await updating(member, name=None, slug="acme")
    await updating(member, name="Labs", slug="acme")
    assert [(each.action, each.before, each.after) for each in office.work.entries] == [
        ("workspace.updated", {"name": "Acme"}, {"name": "Labs"}),
        ("workspace.updated", {"slug": None}, {"slug": "acme"}),
    ]
    for name, slug, refusal in ((" ", None, NameRefused), (None, "-", SlugRefused)):
        with pytest.raises(refusal):
            await updating(member, name=name, slug=slug)


async def test_a_slug_is_one_workspaces(office: FakeOffice) -> None:
    await creating(office)(office.stranger(), "Other", "acme")
    with pytest.raises(SlugTaken):
        await UpdateWorkspace(office.work, office.record)(office.joined(), name=None, slug="acme")
    with pytest.raises(SlugTaken):
        await creating(office)(office.stranger(), "Third", "acme")
    assert office.work.workspaces[office.workspace.id].slug is None


async def test_the_audit_log_does_not_keep_what_a_person_is_called(office: FakeOffice) -> None:
    member = office.joined(Role.OWNER)
    office.work.workspaces[office.workspace.id] = replace(office.workspace, kind=Kind.PERSONAL)
    await UpdateWorkspace(office.work, office.record)(member, name="Ada's", slug=None)
    (entry,) = office.work.entries
    assert (entry.before, entry.after) == ({}, {})
