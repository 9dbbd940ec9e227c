"""What somebody may do with all that is held about them: change it, take it along, have it erased."""

from datetime import datetime

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody
from litestar.response import Response
from msgspec import Struct

from application.actor import Person
from application.identity.me import ChangeMe
from application.identity.personal_data import DeleteMe, ExportMe
from domain.billing.errors import StillSubscribed
from domain.identity.deletion import DeletionNotAsked, SignInAgain, StillOwner
from domain.identity.errors import TooBusy, TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.session import SessionMissing
from domain.identity.user import UserMissing
from domain.ids import user_text
from domain.workspaces.workspace import NameRefused
from entrypoints.http.audit_log import EntryAnswer
from entrypoints.http.elsewhere import IdentityAnswer
from entrypoints.http.identity import TAG, Name, Secret
from entrypoints.http.invitations import InvitationAnswer
from entrypoints.http.keys import KeyAnswer
from entrypoints.http.lean import Reply, lean_patch, lean_post
from entrypoints.http.routes import deleting, reading
from entrypoints.http.sessions import MeAnswer, PlaceAnswer, SessionAnswer, me_answer


class MeChange(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is left out stays as it is."""

    name: Name | None = None


class DeletionRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Without a password, for who has none, the session has to be younger than 10 minutes."""

    password: Secret | None = None


class DeletionAnswer(Struct, frozen=True, kw_only=True):
    deletes_at: datetime


class ExportAnswer(Struct, frozen=True, kw_only=True):
    """All that is held. ``keys`` are those that one made, ``actions`` what one did in workspaces."""

    user_id: str
    email: str
    name: str
    created_at: datetime
    confirmed_at: datetime | None
    deletes_at: datetime | None
    workspaces: list[PlaceAnswer]
    sessions: list[SessionAnswer]
    identities: list[IdentityAnswer]
    invitations: list[InvitationAnswer]
    keys: list[KeyAnswer]
    actions: list[EntryAnswer]


@lean_patch("/v1/me", tag=TAG, refuses=(NameRefused, UserMissing))
async def change_me(person: Person, data: JSONBody[MeChange], use: FromDishka[ChangeMe]) -> Reply[MeAnswer]:
    """Change one's name."""
    return Reply(me_answer(await use(person, name=data.name)))


@reading(
    "/v1/me/export",
    by=Person,
    tag=TAG,
    refuses=(UserMissing,),
)
async def export_me(person: NamedDependency[Person], use: FromDishka[ExportMe]) -> Response[ExportAnswer]:
    """All that is held about oneself, as one document."""
    held = await use(person)
    user = held.user
    answer = ExportAnswer(
        user_id=user_text(user.id),
        email=user.email.text,
        name=user.name,
        created_at=user.created_at,
        confirmed_at=user.confirmed_at,
        deletes_at=user.deletes_at,
        workspaces=[PlaceAnswer.of(each) for each in held.memberships],
        sessions=[SessionAnswer.of(each, person) for each in held.sessions],
        identities=[IdentityAnswer.of(each) for each in held.identities],
        invitations=[InvitationAnswer.of(each) for each in held.invitations],
        keys=[KeyAnswer.of(each) for each in held.keys],
        actions=[EntryAnswer.of(each) for each in held.entries],
    )
    headers = {"Content-Disposition": 'attachment; filename="cuebx-export.json"'}
    return Response(answer, headers=headers)


@lean_post(
    "/v1/me/deletion",
    tag=TAG,
    status=202,
    refuses=(
        *(PasswordRefused, SignInAgain, StillOwner, StillSubscribed, SessionMissing, UserMissing),
        *(TooManyAttempts, TooBusy),
    ),
)
async def request_deletion(
    person: Person, data: JSONBody[DeletionRequest], use: FromDishka[DeleteMe]
) -> Reply[DeletionAnswer]:
    """Have one's account deleted, in 30 days. Until then one can sign in, and take that back."""
    return Reply(DeletionAnswer(deletes_at=await use.ask(person, data.password)))


@deleting(
    "/v1/me/deletion",
    by=Person,
    tag=TAG,
    refuses=(DeletionNotAsked, TooManyAttempts, UserMissing),
)
async def cancel_deletion(person: NamedDependency[Person], use: FromDishka[DeleteMe]) -> None:
    """Take the deletion back."""
    await use.cancel(person)


HANDLERS = [change_me, export_me, request_deletion, cancel_deletion]
