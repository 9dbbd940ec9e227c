"""Who belongs to a workspace."""

from datetime import datetime
from typing import Annotated, Literal

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from application.actor import Member
from application.workspaces.members import ChangeMember, ListMembers, RemoveMember, TransferOwnership
from application.workspaces.ports import MemberShown
from domain.ids import parse_user, user_text
from domain.workspaces.errors import MemberMissing, OwnerStays, PersonalWorkspace, SeatsTaken
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from entrypoints.http.fields import Line, id_path
from entrypoints.http.lean import Reply, lean_patch, lean_post
from entrypoints.http.routes import deleting, reading
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import TAG, WorkspacePath

PATH = WORKSPACE + "/members"
UserPath = Annotated[str, id_path("usr")]
InvitedRole = Literal["admin", "member"]
Cursor = Annotated[
    str | None, QueryParameter(max_length=100, description="The `next_cursor` of the page before")
]


class MemberChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is."""

    role: InvitedRole | None = None
    disabled: bool | None = None


class TransferRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    user_id: Annotated[Line, Meta(description="An enabled member's")]


class MemberAnswer(Struct, frozen=True, kw_only=True):
    user_id: str
    role: str
    joined_at: datetime
    disabled_at: datetime | None

    @classmethod
    def of(cls, member: Membership) -> "MemberAnswer":
        return cls(
            user_id=user_text(member.user),
            role=member.role,
            joined_at=member.joined_at,
            disabled_at=member.disabled_at,
        )


class MemberItem(Struct, frozen=True, kw_only=True):
    user_id: str
    name: str
    email: str | None
    role: str
    joined_at: datetime
    disabled_at: datetime | None

    @classmethod
    def of(cls, shown: MemberShown) -> "MemberItem":
        member = shown.membership
        return cls(
            user_id=user_text(member.user),
            name=shown.name,
            email=shown.email,
            role=member.role,
            joined_at=member.joined_at,
            disabled_at=member.disabled_at,
        )


class MembersAnswer(Struct, frozen=True, kw_only=True):
    """``next_cursor`` is null on the last page."""

    items: list[MemberItem]
    next_cursor: str | None


@reading(
    PATH,
    by=Member,
    tag=TAG,
)
async def list_members(
    *,
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    member: NamedDependency[Member],
    use: FromDishka[ListMembers],
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 100,
) -> MembersAnswer:
    """The members, enabled and disabled."""
    after = None if cursor is None else parse_user(cursor)
    page = await use(member, member.workspace, after=after, limit=limit)
    return MembersAnswer(
        items=[MemberItem.of(each) for each in page.items],
        next_cursor=user_text(page.items[-1].membership.user) if page.more else None,
    )


@lean_patch(PATH + "/{user:str}", tag=TAG, refuses=(MemberMissing, OwnerStays, SeatsTaken))
async def change_member(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    user: UserPath,
    data: JSONBody[MemberChange],
    use: FromDishka[ChangeMember],
) -> Reply[MemberAnswer]:
    """Change a member's role, disable or enable it. The keys that a disabled one made do nothing."""
    role = None if data.role is None else Role(data.role)
    return Reply(MemberAnswer.of(await use(member, parse_user(user), role=role, disabled=data.disabled)))


@deleting(
    PATH + "/{user:str}",
    by=Member,
    tag=TAG,
    refuses=(MemberMissing, OwnerStays),
)
async def remove_member(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    user: UserPath,
    member: NamedDependency[Member],
    use: FromDishka[RemoveMember],
) -> None:
    """Remove a member. The keys that it made are revoked."""
    await use(member, parse_user(user))


@lean_post(WORKSPACE + "/leave", tag=TAG, status=204, refuses=(OwnerStays,))
async def leave_workspace(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    use: FromDishka[RemoveMember],
) -> Reply[None]:
    """Leave a workspace. The keys that one made there are revoked."""
    await use(member, member.person.user)
    return Reply(None)


@lean_post(WORKSPACE + "/transfer", tag=TAG, status=204, refuses=(MemberMissing, PersonalWorkspace))
async def transfer_ownership(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    data: JSONBody[TransferRequest],
    use: FromDishka[TransferOwnership],
) -> Reply[None]:
    """Make another member the owner. Who owned is an admin then."""
    await use(member, parse_user(data.user_id))
    return Reply(None)


HANDLERS = [list_members, change_member, remove_member, leave_workspace, transfer_ownership]
