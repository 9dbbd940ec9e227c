from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import CodeRecord, RefreshTokenRecord, SessionRecord, UserRecord
from application.identity.ports import Codes, Users, UserSessions
from domain.email import Email
from domain.identity.code import Code, Purpose
from domain.identity.session import LONGEST, RefreshToken, Session, SessionMissing
from domain.identity.user import User, UserMissing
from domain.ids import SessionId, UserId

_user = table(UserRecord)
_code = table(CodeRecord)
_session = table(SessionRecord)
_token = table(RefreshTokenRecord)


class SqlUsers(Users):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, user: User) -> bool:
        values = {"id": user.id, "created_at": user.created_at, **_values(user)}
        statement = insert(_user).values(values).on_conflict_do_nothing(index_elements=["email_key"])
        added = await self._session.scalar(statement.returning(_user.c.id))
        return added is not None

    async def get(self, id: UserId, *, lock: bool = True) -> User:
        found = await self._one(_user.c.id == id, lock=lock)
        if found is None:
            raise UserMissing
        return found

    async def by_email(self, key: str, *, lock: bool = True) -> User | None:
        return await self._one(_user.c.email_key == key, lock=lock)

    async def save(self, user: User) -> None:
        await self._session.execute(sa.update(_user).where(_user.c.id == user.id).values(_values(user)))

    async def page(self, *, after: UserId | None, limit: int) -> Sequence[User]:
        wanted = sa.select(_user).where(_user.c.email.is_not(None)).order_by(_user.c.id).limit(limit)
        if after is not None:
            wanted = wanted.where(_user.c.id > after)
        return [user_from(row) for row in (await self._session.execute(wanted)).mappings()]

    async def operators(self) -> Sequence[User]:
        wanted = sa.select(_user).where(_user.c.operator, _user.c.email.is_not(None)).order_by(_user.c.id)
        return [user_from(row) for row in (await self._session.execute(wanted)).mappings()]

    async def _one(self, condition: sa.ColumnElement[bool], *, lock: bool) -> User | None:
        wanted = sa.select(_user).where(condition, _user.c.email.is_not(None))
        if lock:
            wanted = wanted.with_for_update(key_share=True)
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        return None if row is None else user_from(row)


def user_from(row: sa.RowMapping) -> User:
    return User(
        id=UserId(row["id"]),
        email=Email(row["email"], row["email_key"]),
        name=row["name"],
        password=row["password_hash"],
        created_at=row["created_at"],
        confirmed_at=row["confirmed_at"],
        operator=row["operator"],
        deletes_at=row["deletes_at"],
    )


def _values(user: User) -> dict[str, object]:
    return {
        "email": user.email.text,
        "email_key": user.email.key,
        "name": user.name,
        "password_hash": user.password,
        "confirmed_at": user.confirmed_at,
        "operator": user.operator,
        "deletes_at": user.deletes_at,
    }


class SqlCodes(Codes):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, code: Code) -> None:
        changing = {
            "digest": code.digest,
            "attempts_left": code.attempts_left,
            "expires_at": code.expires_at,
        }
        statement = insert(_code).values(user_id=code.user, purpose=code.purpose, **changing)
        await self._session.execute(
            statement.on_conflict_do_update(index_elements=["user_id", "purpose"], set_=changing)
        )

    async def get(self, user: UserId, purpose: Purpose) -> Code | None:
        wanted = sa.select(_code).where(_code.c.user_id == user, _code.c.purpose == purpose)
        row = (await self._session.execute(wanted.with_for_update(key_share=True))).mappings().one_or_none()
        if row is None:
            return None
        return Code(
            user=user,
            purpose=purpose,
            digest=row["digest"],
            attempts_left=row["attempts_left"],
            expires_at=row["expires_at"],
        )

    async def remove(self, user: UserId, purpose: Purpose) -> None:
        await self._session.execute(
            sa.delete(_code).where(_code.c.user_id == user, _code.c.purpose == purpose)
        )


class SqlUserSessions(UserSessions):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, session: Session) -> None:
        await self._session.execute(sa.insert(_session).values(_session_values(session)))

    async def get(self, user: UserId, id: SessionId) -> Session:
        wanted = sa.select(_session).where(_session.c.user_id == user, _session.c.id == id)
        row = (await self._session.execute(wanted.with_for_update(key_share=True))).mappings().one_or_none()
        if row is None:
            raise SessionMissing
        return session_from(row)

    async def save(self, session: Session) -> None:
        await self._session.execute(
            sa.update(_session)
            .where(_session.c.user_id == session.user, _session.c.id == session.id)
            .values(_session_values(session))
        )

    async def of(self, user: UserId) -> Sequence[Session]:
        wanted = (
            sa.select(_session)
            .where(_session.c.user_id == user, _session.c.ended_at.is_(None))
            .order_by(_session.c.last_seen_at.desc(), _session.c.id.desc())
        )
        return [session_from(row) for row in (await self._session.execute(wanted)).mappings()]

    async def devices(self, user: UserId) -> frozenset[str]:
        wanted = sa.select(_session.c.device).where(_session.c.user_id == user).distinct()
        return frozenset(await self._session.scalars(wanted))

    async def add_token(self, token: RefreshToken) -> None:
        await self._session.execute(
            sa.insert(_token).values(
                digest=token.digest,
                user_id=token.user,
                session_id=token.session,
                created_at=token.created_at,
                expires_at=token.created_at + LONGEST,
                used_at=token.used_at,
            )
        )

    async def token(self, digest: bytes) -> RefreshToken | None:
        wanted = sa.select(_token).where(_token.c.digest == digest).with_for_update(key_share=True)
        row = (await self._session.execute(wanted)).mappings().one_or_none()
        if row is None:
            return None
        return RefreshToken(
            digest=row["digest"],
            user=UserId(row["user_id"]),
            session=SessionId(row["session_id"]),
            created_at=row["created_at"],
            used_at=row["used_at"],
        )

    async def save_token(self, token: RefreshToken) -> None:
        await self._session.execute(
            sa.update(_token).where(_token.c.digest == token.digest).values(used_at=token.used_at)
        )


def session_from(row: sa.RowMapping) -> Session:
    return Session(
        user=UserId(row["user_id"]),
        id=SessionId(row["id"]),
        device=row["device"],
        address=row["address"],
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        expires_at=row["expires_at"],
        ended_at=row["ended_at"],
    )


def _session_values(session: Session) -> dict[str, object]:
    return {
        "user_id": session.user,
        "id": session.id,
        "device": session.device,
        "address": session.address,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "expires_at": session.expires_at,
        "ended_at": session.ended_at,
    }
