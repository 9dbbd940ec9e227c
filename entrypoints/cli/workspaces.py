import click
from dishka import AsyncContainer

from application.actor import Operator
from application.workspaces.members import ListMembers, SetSeats
from application.workspaces.ports import MemberShown
from application.workspaces.workspaces import (
    CreateWorkspace,
    FreezeWorkspace,
    ListWorkspaces,
    Opened,
    UnfreezeWorkspace,
)
from domain.ids import UserId, WorkspaceId, account_text, user_text, workspace_text
from domain.workspaces.workspace import Kind, Workspace
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import PLAN, USER, WORKSPACE


@click.group()
def workspaces() -> None:
    """Tenants: create, list, freeze, unfreeze, their members and seats."""


def _row(workspace: Workspace) -> dict[str, object]:
    return {
        "workspace_id": workspace_text(workspace.id),
        "name": workspace.name,
        "kind": workspace.kind,
        "created_at": workspace.created_at,
        "seats": workspace.seats,
        "frozen_at": workspace.frozen_at,
        "deleted_at": workspace.deleted_at,
    }


def _member_row(shown: MemberShown) -> dict[str, object]:
    member = shown.membership
    return {
        "user_id": user_text(member.user),
        "name": shown.name,
        "email": shown.email,
        "role": member.role,
        "joined_at": member.joined_at,
        "disabled_at": member.disabled_at,
    }


def _rows(opened: Opened) -> list[dict[str, object]]:
    return [
        {**_row(opened.workspace), "account_id": account_text(account.id), "plan": str(account.plan)}
        for account in opened.accounts
    ]


@workspaces.command()
@click.argument("name")
@click.option("--plan", type=PLAN, default="api/free", show_default=True, help="What it subscribes to.")
@click.option("--personal", is_flag=True, help="A workspace of one person, not of a team.")
@as_json
@with_services("create_any_workspace")
async def create(
    services: AsyncContainer, name: str, plan: tuple[str, str], *, personal: bool, as_json: bool
) -> None:
    """Create a workspace NAME, with an account on the newest version of a plan."""
    make = await services.get(CreateWorkspace)
    product, key = plan
    opened = await make(Operator(), name, Kind.PERSONAL if personal else Kind.TEAM, product=product, plan=key)
    show_one(_rows(opened)[0], as_json=as_json)


@workspaces.command("list")
@as_json
@with_services("list_all_workspaces")
async def list_(services: AsyncContainer, *, as_json: bool) -> None:
    """Every workspace and its accounts, the oldest first."""
    every = await (await services.get(ListWorkspaces))()
    show([row for each in every for row in _rows(each)], as_json=as_json, empty="There are no workspaces.")


@workspaces.command()
@click.argument("workspace", type=WORKSPACE)
@as_json
@with_services("freeze_workspace")
async def freeze(services: AsyncContainer, workspace: WorkspaceId, *, as_json: bool) -> None:
    """Stop a WORKSPACE's spending at once; it can still read, and what is held is settled."""
    show_one(_row(await (await services.get(FreezeWorkspace))(Operator(), workspace)), as_json=as_json)


@workspaces.command()
@click.argument("workspace", type=WORKSPACE)
@as_json
@with_services("unfreeze_workspace")
async def unfreeze(services: AsyncContainer, workspace: WorkspaceId, *, as_json: bool) -> None:
    """Let a frozen WORKSPACE spend again."""
    show_one(_row(await (await services.get(UnfreezeWorkspace))(Operator(), workspace)), as_json=as_json)


@workspaces.command()
@click.argument("workspace", type=WORKSPACE)
@click.option("--after", type=USER, help="Only those behind this user.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@as_json
@with_services("list_members")
async def members(
    services: AsyncContainer, workspace: WorkspaceId, *, after: UserId | None, limit: int, as_json: bool
) -> None:
    """Who belongs to a WORKSPACE."""
    page = await (await services.get(ListMembers))(Operator(), workspace, after=after, limit=limit)
    show([_member_row(each) for each in page.items], as_json=as_json, empty="It has no members.")
    if page.more and not as_json:
        click.echo(f"There are more: --after {user_text(page.items[-1].membership.user)}")


@workspaces.command()
@click.argument("workspace", type=WORKSPACE)
@click.argument("count", type=click.IntRange(1, 100_000))
@as_json
@with_services("set_seats")
async def seats(services: AsyncContainer, workspace: WorkspaceId, count: int, *, as_json: bool) -> None:
    """Let a WORKSPACE seat a COUNT of members; never fewer than are enabled."""
    show_one(_row(await (await services.get(SetSeats))(Operator(), workspace, count)), as_json=as_json)
