"""Workspaces of teams: made by a person, seen by their members."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.actor import Member, Person
from application.workspaces.deletion import DeleteWorkspace
from application.workspaces.teams import CreateTeam, ListMine, ReadTeam, UpdateWorkspace
from application.workspaces.workspaces import Opened
from domain.billing.errors import StillSubscribed
from domain.identity.errors import TooManyAttempts
from domain.ids import account_text, workspace_text
from domain.workspaces.errors import NameNotTyped, PersonalWorkspace, SlugRefused, SlugTaken
from domain.workspaces.workspace import LONGEST_NAME, LONGEST_SLUG, NameRefused
from entrypoints.http.fields import id_path
from entrypoints.http.lean import Reply, lean_patch, lean_post
from entrypoints.http.routes import reading

TAG = "Workspaces"
PATH = "/v1/workspaces/{workspace:str}"
WorkspacePath = Annotated[str, id_path("ws")]


Slug = Annotated[
    str,
    Meta(
        min_length=3,
        max_length=LONGEST_SLUG,
        pattern="^[a-z0-9]+(-[a-z0-9]+)*$",
        description="For addresses of pages: no other workspace has the same",
    ),
]
Name = Annotated[str, Meta(min_length=1, max_length=LONGEST_NAME)]


class WorkspaceRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Name
    slug: Slug | None = None


class WorkspaceChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is."""

    name: Name | None = None
    slug: Slug | None = None


class TypedName(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The workspace's name, exactly: so that none is deleted by a slip."""

    name: Name


class AccountAnswer(Struct, frozen=True, kw_only=True):
    id: str
    product: str
    plan: str
    plan_version: int


class WorkspaceAnswer(Struct, frozen=True, kw_only=True):
    """It has an account for each product that it subscribes to; ``seats`` is how many members it may have."""

    id: str
    name: str
    slug: str | None
    kind: str
    seats: int
    created_at: datetime
    frozen_at: datetime | None
    accounts: list[AccountAnswer]

    @classmethod
    def of(cls, opened: Opened) -> "WorkspaceAnswer":
        workspace = opened.workspace
        return cls(
            id=workspace_text(workspace.id),
            name=workspace.name,
            slug=workspace.slug,
            kind=workspace.kind,
            seats=workspace.seats,
            created_at=workspace.created_at,
            frozen_at=workspace.frozen_at,
            accounts=[
                AccountAnswer(
                    id=account_text(each.id),
                    product=each.plan.product,
                    plan=each.plan.plan,
                    plan_version=each.plan.version,
                )
                for each in opened.accounts
            ],
        )


class MineAnswer(Struct, frozen=True, kw_only=True):
    id: str
    name: str
    slug: str | None
    kind: str
    role: str
    created_at: datetime


class MinesAnswer(Struct, frozen=True, kw_only=True):
    """The oldest first."""

    items: list[MineAnswer]


class DeletedAnswer(Struct, frozen=True, kw_only=True):
    """``released``: how many holds were given back. Calls that run are still settled."""

    id: str
    deleted_at: datetime | None
    released: int


@lean_post(
    "/v1/workspaces", tag=TAG, status=201, refuses=(NameRefused, SlugRefused, SlugTaken, TooManyAttempts)
)
async def create_workspace(
    person: Person, data: JSONBody[WorkspaceRequest], use: FromDishka[CreateTeam]
) -> Reply[WorkspaceAnswer]:
    """Make a workspace for a team, on the free plan. Whoever makes it owns it."""
    return Reply(WorkspaceAnswer.of(await use(person, data.name, data.slug)))


@reading(
    PATH,
    by=Member,
    tag=TAG,
)
async def read_workspace(
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    member: NamedDependency[Member],
    read: FromDishka[ReadTeam],
) -> WorkspaceAnswer:
    """A workspace and its accounts."""
    return WorkspaceAnswer.of(await read(member))


@reading(
    "/v1/workspaces",
    by=Person,
    tag=TAG,
)
async def list_workspaces(person: NamedDependency[Person], use: FromDishka[ListMine]) -> MinesAnswer:
    """The workspaces that one belongs to, and as what."""
    return MinesAnswer(
        items=[
            MineAnswer(
                id=workspace_text(each.id),
                name=each.name,
                slug=each.slug,
                kind=each.kind,
                role=role,
                created_at=each.created_at,
            )
            for each, role in await use(person)
        ]
    )


@lean_patch(PATH, tag=TAG, refuses=(NameRefused, SlugRefused, SlugTaken))
async def update_workspace(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    data: JSONBody[WorkspaceChange],
    use: FromDishka[UpdateWorkspace],
) -> Reply[WorkspaceAnswer]:
    """Change the name or the slug."""
    return Reply(WorkspaceAnswer.of(await use(member, name=data.name, slug=data.slug)))


@lean_post(PATH + "/deletion", tag=TAG, refuses=(NameNotTyped, PersonalWorkspace, StillSubscribed))
async def delete_workspace(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    data: JSONBody[TypedName],
    use: FromDishka[DeleteWorkspace],
) -> Reply[DeletedAnswer]:
    """Delete a workspace for good. Keys and invitations end, holds are given back, the books stay."""
    deleted = await use(member, data.name)
    return Reply(
        DeletedAnswer(
            id=workspace_text(deleted.workspace.id),
            deleted_at=deleted.workspace.deleted_at,
            released=deleted.released,
        )
    )


HANDLERS = [create_workspace, list_workspaces, read_workspace, update_workspace, delete_workspace]
