"""What somebody who has signed in sees of, and does with, their own account and sessions."""

from datetime import datetime
from typing import Annotated

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter
from msgspec import Struct

from application.actor import Person
from application.identity.me import ListSessions, Me, ReadMe
from application.identity.passwords import ChangePassword
from application.identity.sign_in import EndSession
from domain.identity.errors import TooBusy, TooManyAttempts
from domain.identity.password import PasswordRefused
from domain.identity.session import Session, SessionMissing
from domain.identity.user import UserMissing
from domain.ids import MalformedId, parse_session, session_text, user_text, workspace_text
from domain.workspaces.member import Membership
from entrypoints.http.identity import TAG, Secret
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.routes import deleting, reading

SessionPath = Annotated[
    str,
    PathParameter(
        description="As its `id` was given", schema_extra={"pattern": "^ses_[0-7][0-9a-hjkmnp-tv-z]{25}$"}
    ),
]


class PlaceAnswer(Struct, frozen=True, kw_only=True):
    workspace_id: str
    role: str

    @classmethod
    def of(cls, place: Membership) -> "PlaceAnswer":
        return cls(workspace_id=workspace_text(place.workspace), role=place.role)


class MeAnswer(Struct, frozen=True, kw_only=True):
    user_id: str
    email: str
    name: str
    created_at: datetime
    deletes_at: datetime | None
    workspaces: list[PlaceAnswer]
    second_factor: bool
    recovery_codes_left: int


class PasswordRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    current: Secret
    new: Secret


class SessionAnswer(Struct, frozen=True, kw_only=True):
    """``current``: the one that asks."""

    id: str
    current: bool
    device: str
    address: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, session: Session, person: Person) -> "SessionAnswer":
        return cls(
            id=session_text(session.id),
            current=session.id == person.session,
            device=session.device,
            address=session.address,
            created_at=session.created_at,
            last_seen_at=session.last_seen_at,
            expires_at=session.expires_at,
        )


class SessionsAnswer(Struct, frozen=True, kw_only=True):
    """The latest first."""

    items: list[SessionAnswer]


@reading(
    "/v1/me",
    by=Person,
    tag=TAG,
    refuses=(UserMissing,),
)
async def read_me(person: NamedDependency[Person], read: FromDishka[ReadMe]) -> MeAnswer:
    """Oneself, and the workspaces that one belongs to."""
    return me_answer(await read(person))


def me_answer(me: Me) -> MeAnswer:
    user = me.user
    return MeAnswer(
        user_id=user_text(user.id),
        email=user.email.text,
        name=user.name,
        created_at=user.created_at,
        deletes_at=user.deletes_at,
        workspaces=[PlaceAnswer.of(each) for each in me.places],
        second_factor=me.second_factor,
        recovery_codes_left=me.recovery_codes,
    )


@lean_post(
    "/v1/me/password", tag=TAG, status=204, refuses=(PasswordRefused, UserMissing, TooManyAttempts, TooBusy)
)
async def change_password(
    person: Person, data: JSONBody[PasswordRequest], use: FromDishka[ChangePassword]
) -> Reply[None]:
    """Change the password. All other sessions end."""
    await use(person, data.current, data.new)
    return Reply(None)


@lean_post("/v1/auth/sign-out", tag=TAG, status=204, refuses=(SessionMissing,))
async def sign_out(person: Person, use: FromDishka[EndSession]) -> Reply[None]:
    """End the session that asks."""
    await use(person, person.session)
    return Reply(None)


@reading(
    "/v1/me/sessions",
    by=Person,
    tag=TAG,
)
async def list_sessions(person: NamedDependency[Person], use: FromDishka[ListSessions]) -> SessionsAnswer:
    """Where one is signed in."""
    return SessionsAnswer(items=[SessionAnswer.of(each, person) for each in await use(person)])


@deleting(
    "/v1/me/sessions/{session:str}",
    by=Person,
    tag=TAG,
    refuses=(MalformedId, SessionMissing),
)
async def end_session(
    session: SessionPath, person: NamedDependency[Person], use: FromDishka[EndSession]
) -> None:
    """End one session."""
    await use(person, parse_session(session))


@deleting(
    "/v1/me/sessions",
    by=Person,
    tag=TAG,
)
async def end_other_sessions(person: NamedDependency[Person], use: FromDishka[EndSession]) -> None:
    """End all sessions but the one that asks."""
    await use.others(person)


HANDLERS = [read_me, change_password, sign_out, list_sessions, end_session, end_other_sessions]
