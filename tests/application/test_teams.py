"""Teams make workspaces of their own."""

import pytest

from application.workspaces.teams import CreateTeam, ReadTeam
from domain.ids import PlanRef, WorkspaceId
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, NameRefused, WorkspaceMissing
from tests.fakes.catalog import PLAN, FakeCatalog
from tests.fakes.clock import NOON
from tests.fakes.office import FakeOffice


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


def creating(office: FakeOffice) -> CreateTeam:
    catalog = FakeCatalog.of(PLAN, at=NOON)
    return CreateTeam(office.work, catalog, office.clock, office.new_id, office.record)


async def test_whoever_makes_a_workspace_owns_it(office: FakeOffice) -> None:
    person = office.member().person
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
        await creating(office)(office.member().person, " ")
    assert office.work.members == {}


async def test_what_is_not_there_is_missing(office: FakeOffice) -> None:
    with pytest.raises(WorkspaceMissing):
        await ReadTeam(office.work)(office.member(workspace=WorkspaceId(office.new_id())))
