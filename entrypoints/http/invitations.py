"""People are asked into a workspace, and accept."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody
from msgspec import Meta, Struct

from application.actor import Member, Person
from application.workspaces.invitations import AcceptInvitation, Invite, ListInvitations, RevokeInvitation
from domain.email import EmailRefused, parse_email
from domain.identity.errors import TooManyAttempts
from domain.identity.user import UserMissing
from domain.ids import invitation_text, parse_invitation, user_text, workspace_text
from domain.workspaces.errors import (
    AlreadyInvited,
    AlreadyMember,
    InvitationExpired,
    InvitationMissing,
    PersonalWorkspace,
    SeatsTaken,
)
from domain.workspaces.invitation import Invitation
from domain.workspaces.role import Role
from entrypoints.http.fields import id_path
from entrypoints.http.identity import Address
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.members import InvitedRole
from entrypoints.http.routes import deleting, reading
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import TAG, WorkspacePath

PATH = WORKSPACE + "/invitations"
InvitationPath = Annotated[str, id_path("inv")]


class InvitationRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    email: Address
    role: InvitedRole = "member"


class AcceptRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    token: Annotated[str, Meta(min_length=1, max_length=200, description="From the mail")]


class InvitationAnswer(Struct, frozen=True, kw_only=True):
    id: str
    email: str
    role: str
    invited_by: str
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: Invitation) -> "InvitationAnswer":
        return cls(
            id=invitation_text(invitation.id),
            email=invitation.email.text,
            role=invitation.role,
            invited_by=user_text(invitation.invited_by),
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class InvitationsAnswer(Struct, frozen=True, kw_only=True):
    """The oldest first."""

    items: list[InvitationAnswer]


class AcceptedAnswer(Struct, frozen=True, kw_only=True):
    workspace_id: str
    name: str
    role: str


@lean_post(
    PATH,
    tag=TAG,
    status=201,
    refuses=(
        *(EmailRefused, AlreadyMember, AlreadyInvited, SeatsTaken),
        *(PersonalWorkspace, TooManyAttempts, UserMissing),
    ),
)
async def invite(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    data: JSONBody[InvitationRequest],
    use: FromDishka[Invite],
) -> Reply[InvitationAnswer]:
    """Invite somebody by mail. Until it is accepted, revoked or too old, it keeps a seat free."""
    return Reply(InvitationAnswer.of(await use(member, parse_email(data.email), Role(data.role))))


@reading(
    PATH,
    by=Member,
    tag=TAG,
)
async def list_invitations(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    member: NamedDependency[Member],
    use: FromDishka[ListInvitations],
) -> InvitationsAnswer:
    """The invitations that were neither accepted nor revoked, also those that are too old."""
    return InvitationsAnswer(items=[InvitationAnswer.of(each) for each in await use(member)])


@lean_post(
    PATH + "/{invitation:str}/resend",
    tag=TAG,
    refuses=(InvitationMissing, SeatsTaken, TooManyAttempts, UserMissing),
)
async def resend_invitation(
    member: Member,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    invitation: InvitationPath,
    use: FromDishka[Invite],
) -> Reply[InvitationAnswer]:
    """Send another mail, good for another seven days. The token before is void."""
    return Reply(InvitationAnswer.of(await use.again(member, parse_invitation(invitation))))


@deleting(
    PATH + "/{invitation:str}",
    by=Member,
    tag=TAG,
    refuses=(InvitationMissing,),
)
async def revoke_invitation(
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    invitation: InvitationPath,
    member: NamedDependency[Member],
    use: FromDishka[RevokeInvitation],
) -> None:
    """Take an invitation back."""
    await use(member, parse_invitation(invitation))


@lean_post(
    "/v1/invitations/accept",
    tag=TAG,
    refuses=(InvitationMissing, InvitationExpired, AlreadyMember, SeatsTaken, UserMissing),
)
async def accept_invitation(
    person: Person, data: JSONBody[AcceptRequest], use: FromDishka[AcceptInvitation]
) -> Reply[AcceptedAnswer]:
    """Accept with the token from the mail, as the person that it was sent to."""
    workspace, member = await use(person, data.token)
    return Reply(
        AcceptedAnswer(workspace_id=workspace_text(workspace.id), name=workspace.name, role=member.role)
    )


HANDLERS = [invite, list_invitations, resend_invitation, revoke_invitation, accept_invitation]
