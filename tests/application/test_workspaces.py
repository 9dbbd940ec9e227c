"""Workspaces are opened with an account, and frozen whole."""

from dataclasses import replace
from datetime import timedelta

import pytest

from application.workspaces.workspaces import (
    CreateWorkspace,
    FreezeWorkspace,
    ListWorkspaces,
    UnfreezeWorkspace,
)
from domain.audit.entry import ActorKind
from domain.catalog.errors import PlanMissing
from domain.ids import PlanRef, WorkspaceId, workspace_text
from domain.workspaces.workspace import Kind, NameRefused, WorkspaceMissing
from tests.fakes.catalog import PLAN, FakeCatalog
from tests.fakes.clock import NOON
from tests.fakes.office import OPERATOR, FakeOffice

NEWEST = replace(PLAN, version=2)
CATALOG = FakeCatalog.of(PLAN, NEWEST, at=NOON)


@pytest.fixture
def office() -> FakeOffice:
    return FakeOffice()


def creating(office: FakeOffice) -> CreateWorkspace:
    return CreateWorkspace(office.work, CATALOG, office.clock, office.new_id, office.record)


async def test_it_is_opened_with_an_account_on_the_newest_version_of_the_plan(office: FakeOffice) -> None:
    opened = await creating(office)(OPERATOR, "  Acme ", Kind.PERSONAL, product="api", plan="free")
    workspace = opened.workspace
    assert (workspace.name, workspace.kind) == ("Acme", Kind.PERSONAL)
    assert (workspace.created_at, workspace.frozen_at) == (NOON, None)
    (account,) = opened.accounts
    assert (account.workspace, account.plan) == (workspace.id, PlanRef("api", "free", 2))
    assert (account.anchor, account.period_end, account.frozen) == (NOON, None, False)
    assert office.work.workspaces[workspace.id] == workspace
    assert office.work.accounts[account.id] == account
    (entry,) = office.work.entries
    assert (entry.action, entry.after) == (
        "workspace.created",
        {"name": "Acme", "kind": Kind.PERSONAL, "plan": "api/free@2"},
    )


@pytest.mark.parametrize(("product", "plan"), [("api", "other"), ("other", "free")])
async def test_a_plan_that_is_not_sold_opens_nothing(office: FakeOffice, product: str, plan: str) -> None:
    with pytest.raises(PlanMissing):
        await creating(office)(OPERATOR, "Acme", Kind.TEAM, product=product, plan=plan)
    assert len(office.work.workspaces) == 1


async def test_a_name_that_cannot_be_printed_opens_nothing(office: FakeOffice) -> None:
    with pytest.raises(NameRefused):
        await creating(office)(OPERATOR, "a\x00", Kind.TEAM, product="api", plan="free")
    assert len(office.work.workspaces) == 1


async def test_it_is_frozen_once_and_thawed_again(office: FakeOffice) -> None:
    freeze, unfreeze = (
        FreezeWorkspace(office.work, office.clock, office.record),
        UnfreezeWorkspace(office.work, office.record),
    )
    frozen = await freeze(OPERATOR, office.workspace.id)
    assert frozen.frozen_at == NOON
    office.clock.pass_by(timedelta(hours=1))
    assert await freeze(OPERATOR, office.workspace.id) == frozen
    assert (await office.directory.find(office.account.id)).frozen
    assert await unfreeze(OPERATOR, office.workspace.id) == office.workspace
    assert not (await office.directory.find(office.account.id)).frozen
    assert await unfreeze(OPERATOR, office.workspace.id) == office.workspace
    told = [(each.action, each.actor_kind, each.target) for each in office.work.entries]
    target = workspace_text(office.workspace.id)
    assert told == [
        ("workspace.frozen", ActorKind.OPERATOR, target),
        ("workspace.unfrozen", ActorKind.OPERATOR, target),
    ]


async def test_what_is_not_there_can_be_neither_frozen_nor_thawed(office: FakeOffice) -> None:
    nobody = WorkspaceId(office.new_id())
    with pytest.raises(WorkspaceMissing):
        await FreezeWorkspace(office.work, office.clock, office.record)(OPERATOR, nobody)
    with pytest.raises(WorkspaceMissing):
        await UnfreezeWorkspace(office.work, office.record)(OPERATOR, nobody)


async def test_workspaces_are_listed_with_their_accounts(office: FakeOffice) -> None:
    opened = await creating(office)(OPERATOR, "Beta", Kind.TEAM, product="api", plan="free")
    bare = replace(office.workspace, id=WorkspaceId(office.new_id()), name="Bare")
    office.work.workspaces[bare.id] = bare
    listed = await ListWorkspaces(office.work)()
    assert [(each.workspace.name, list(each.accounts)) for each in listed] == [
        ("Acme", [office.account]),
        ("Beta", list(opened.accounts)),
        ("Bare", []),
    ]
