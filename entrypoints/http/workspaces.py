"""Workspaces of teams: made by a person, seen by their members."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar import get
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Meta, Struct

from application.actor import Member, Person
from application.workspaces.teams import CreateTeam, ReadTeam
from application.workspaces.workspaces import Opened
from domain.ids import account_text, workspace_text
from domain.workspaces.workspace import NameRefused
from entrypoints.http.auth import ACCESS_TOKEN
from entrypoints.http.inject import inject
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.refusals import AS_MEMBER, INVALID, errors

TAG = "Workspaces"
SECURITY = [{ACCESS_TOKEN: list[str]()}]
WorkspacePath = Annotated[
    str,
    PathParameter(
        description="As its `id` was given", schema_extra={"pattern": "^ws_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    ),
]


class WorkspaceRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    name: Annotated[str, Meta(min_length=1, max_length=100)]


class AccountAnswer(Struct, frozen=True, kw_only=True):
    id: str
    product: str
    plan: str
    plan_version: int


class WorkspaceAnswer(Struct, frozen=True, kw_only=True):
    """It has an account for each product that it subscribes to."""

    id: str
    name: str
    kind: str
    created_at: datetime
    frozen_at: datetime | None
    accounts: list[AccountAnswer]

    @classmethod
    def of(cls, opened: Opened) -> "WorkspaceAnswer":
        workspace = opened.workspace
        return cls(
            id=workspace_text(workspace.id),
            name=workspace.name,
            kind=workspace.kind,
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


@lean_post("/v1/workspaces", tag=TAG, status=201, refuses=(NameRefused,))
async def create_workspace(
    person: Person, data: JSONBody[WorkspaceRequest], use: FromDishka[CreateTeam]
) -> Reply[WorkspaceAnswer]:
    """Make a workspace for a team, on the free plan. Whoever makes it owns it."""
    return Reply(WorkspaceAnswer.of(await use(person, data.name)))


@get(
    "/v1/workspaces/{workspace:str}",
    responses=errors(*AS_MEMBER, INVALID),
    security=SECURITY,
    tags=[TAG],
    response_description="OK",
    raises=[],
)
@inject
async def read_workspace(
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    member: NamedDependency[Member],
    read: FromDishka[ReadTeam],
) -> WorkspaceAnswer:
    """A workspace and its accounts."""
    return WorkspaceAnswer.of(await read(member))


HANDLERS = [create_workspace, read_workspace]
