"""People, codes, sessions and members as they are kept, by the fake and by PostgreSQL."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TypeAlias
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.clock import SystemClock
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.members import SqlLiveSessions, SqlMemberDirectory
from adapters.postgres.signing_keys import SqlSigningKeys
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.identity.signing import SigningKey
from domain.email import Email
from domain.identity.code import Code, Purpose
from domain.identity.elsewhere import LinkedIdentity
from domain.identity.second_factor import SecondFactor
from domain.identity.session import RefreshToken, Session, SessionMissing
from domain.identity.user import User, UserMissing
from domain.ids import SessionId, UserId, WorkspaceId
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON, SetMonotonic
from tests.fakes.unit_of_work import FakeTx

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]
MINUTE = timedelta(minutes=1)


def a_user() -> User:
    id = UserId(uuid4())
    return User(
        id=id,
        email=Email(f"{id}@Example.org", f"{id}@example.org"),
        name="Ada",
        password="hashed",  # noqa: S106
        created_at=NOON,
    )


@pytest.fixture
async def user(uow: Uow) -> User:
    user = a_user()
    async with uow() as tx:
        assert await tx.users.add(user)
    return user


async def test_a_user_is_kept(uow: Uow, user: User) -> None:
    async with uow() as tx:
        assert await tx.users.get(user.id) == user
        assert await tx.users.by_email(user.email.key) == user
        assert await tx.users.by_email("nobody@example.org") is None
        with pytest.raises(UserMissing):
            await tx.users.get(UserId(uuid4()))


async def test_a_user_is_changed(uow: Uow, user: User) -> None:
    changed = user.confirm(NOON + MINUTE).with_password("other")
    async with uow() as tx:
        await tx.users.save(changed)
    async with uow() as tx:
        assert await tx.users.get(user.id) == changed


async def test_an_address_has_one_user(uow: Uow, user: User) -> None:
    again = replace(a_user(), email=user.email)
    async with uow() as tx:
        assert not await tx.users.add(again)
    async with uow() as tx:
        assert await tx.users.by_email(user.email.key) == user


async def test_of_many_who_take_an_address_at_once_one_gets_it(uow: Uow) -> None:
    email = a_user().email

    async def take() -> bool:
        async with uow() as tx:
            return await tx.users.add(replace(a_user(), email=email))

    assert sorted(await asyncio.gather(*(take() for _ in range(8)))) == [False] * 7 + [True]


async def test_a_new_code_takes_the_place_of_the_old(uow: Uow, user: User) -> None:
    first = Code(user=user.id, purpose=Purpose.CONFIRM, digest=b"1", expires_at=NOON)
    second, other = replace(first, digest=b"2").failed(), replace(first, purpose=Purpose.RESET)
    async with uow() as tx:
        for code in (first, other, second):
            await tx.codes.put(code)
    async with uow() as tx:
        assert await tx.codes.get(user.id, Purpose.CONFIRM) == second
        await tx.codes.remove(user.id, Purpose.CONFIRM)
    async with uow() as tx:
        assert await tx.codes.get(user.id, Purpose.CONFIRM) is None
        assert await tx.codes.get(user.id, Purpose.RESET) == other


def a_session(user: User, minute: int = 0) -> Session:
    now = NOON + minute * MINUTE
    return Session.begin(user.id, SessionId(uuid4()), device="curl", address="::1", now=now)


async def test_sessions_are_kept_until_they_end(uow: Uow, user: User) -> None:
    first, second = a_session(user), a_session(user, minute=1)
    async with uow() as tx:
        await tx.sessions.add(first)
        await tx.sessions.add(second)
    async with uow() as tx:
        assert await tx.sessions.of(user.id) == [second, first]
        await tx.sessions.save(second.end(NOON))
    async with uow() as tx:
        assert await tx.sessions.of(user.id) == [first]
        assert await tx.sessions.get(user.id, second.id) == second.end(NOON)
        for owner, id in ((UserId(uuid4()), first.id), (user.id, SessionId(uuid4()))):
            with pytest.raises(SessionMissing):
                await tx.sessions.get(owner, id)


async def test_a_refresh_token_is_used_once_however_many_use_it(uow: Uow, user: User) -> None:
    session = a_session(user)
    token = RefreshToken(digest=uuid4().bytes, user=user.id, session=session.id, created_at=NOON)
    async with uow() as tx:
        await tx.sessions.add(session)
        await tx.sessions.add_token(token)
        assert await tx.sessions.token(b"unknown") is None

    async def use() -> bool:
        async with uow() as tx:
            found = await tx.sessions.token(token.digest)
            assert found is not None
            if found.used_at is not None:
                return False
            await tx.sessions.save_token(found.use(NOON))
        return True

    assert sorted(await asyncio.gather(*(use() for _ in range(8)))) == [False] * 7 + [True]


async def a_workspace(uow: Uow) -> WorkspaceId:
    id = WorkspaceId(uuid4())
    async with uow() as tx:
        await tx.workspaces.add(Workspace(id=id, name="Acme", kind=Kind.TEAM, created_at=NOON))
    return id


async def test_members_are_kept_but_the_disabled_are_not_told(uow: Uow, user: User) -> None:
    first, second = sorted([await a_workspace(uow), await a_workspace(uow)])
    owner = Membership(workspace=first, user=user.id, role=Role.OWNER, joined_at=NOON)
    idle = Membership(workspace=second, user=user.id, role=Role.MEMBER, joined_at=NOON, disabled_at=NOON)
    async with uow() as tx:
        await tx.members.add(owner)
        await tx.members.add(idle)
    async with uow() as tx:
        assert await tx.members.of_user(user.id) == [owner]


async def test_a_role_is_at_most_a_second_old(engine: AsyncEngine) -> None:
    sessions, time = make_sessions(engine), SetMonotonic()
    work, directory = SqlUnitOfWork(sessions), SqlMemberDirectory(sessions, time)
    uow: Uow = work  # type: ignore[assignment] # as above
    user, workspace = a_user(), await a_workspace(uow)
    async with work() as tx:
        await tx.users.add(user)
        await tx.members.add(Membership(workspace=workspace, user=user.id, role=Role.ADMIN, joined_at=NOON))
    assert await directory.role(workspace, user.id) is Role.ADMIN
    assert await directory.role(WorkspaceId(uuid4()), user.id) is None
    async with engine.begin() as connection:
        await connection.execute(
            sa.text("UPDATE workspace SET deleted_at = now() WHERE id = :id"), {"id": workspace}
        )
    time.seconds += 1
    assert await directory.role(workspace, user.id) is None


async def test_a_session_that_was_ended_is_over_within_a_second(engine: AsyncEngine) -> None:
    sessions, time = make_sessions(engine), SetMonotonic()
    work, live = SqlUnitOfWork(sessions), SqlLiveSessions(sessions, SystemClock(), time)
    user, now = a_user(), SystemClock().now()
    session = Session.begin(user.id, SessionId(uuid4()), device="", address="", now=now)
    async with work() as tx:
        await tx.users.add(user)
        await tx.sessions.add(session)
    assert await live.live(user.id, session.id)
    assert not await live.live(UserId(uuid4()), session.id)
    async with work() as tx:
        await tx.sessions.save(session.end(now))
    time.seconds += 1
    assert not await live.live(user.id, session.id)


def a_key(kid: str) -> SigningKey:
    return SigningKey(kid=kid, public=b"p", sealed_private=b"s", created_at=NOON, signs_from=NOON)


async def test_of_processes_that_need_a_key_at_once_one_makes_it(database: str) -> None:
    engine = make_engine(database)
    keys = SqlSigningKeys(make_sessions(engine))
    made = await asyncio.gather(*(keys.begin(partial(a_key, f"k{n}")) for n in range(5)))
    assert len({each[0].kid for each in made}) == 1
    old, new = made[0][0], replace(a_key("new"), created_at=NOON + MINUTE)
    ended = replace(old, verifies_until=NOON + MINUTE)
    await keys.rotate(new, [ended])
    assert list(await keys.all()) == [ended, new]
    await engine.dispose()


async def test_a_second_factor_and_its_recovery_codes_are_kept(uow: Uow, user: User) -> None:
    factor = SecondFactor(user=user.id, sealed=b"sealed")
    async with uow() as tx:
        assert await tx.second_factors.get(user.id) is None
        assert await tx.second_factors.codes_left(user.id) == 0
        await tx.second_factors.save(factor)
        await tx.second_factors.put_codes(user.id, [b"0"])
        await tx.second_factors.put_codes(user.id, [b"1", b"2"])
    on = factor.enable(7, NOON)
    async with uow() as tx:
        assert await tx.second_factors.get(user.id) == factor
        await tx.second_factors.save(on)
        assert await tx.second_factors.use_code(user.id, b"1", NOON)
        assert not await tx.second_factors.use_code(user.id, b"1", NOON)
        assert not await tx.second_factors.use_code(user.id, b"0", NOON)
        assert not await tx.second_factors.use_code(UserId(uuid4()), b"2", NOON)
    async with uow() as tx:
        assert await tx.second_factors.get(user.id) == on
        assert await tx.second_factors.codes_left(user.id) == 1
        await tx.second_factors.remove(user.id)
    async with uow() as tx:
        assert await tx.second_factors.get(user.id) is None
        assert await tx.second_factors.codes_left(user.id) == 0


async def test_accounts_elsewhere_are_linked_once_and_unlinked(uow: Uow, user: User) -> None:
    subject = str(user.id)
    one = LinkedIdentity(provider="github", subject=subject, user=user.id, linked_at=NOON)
    two = replace(one, provider="google", linked_at=NOON + MINUTE)
    async with uow() as tx:
        for each in (two, one, replace(one, linked_at=NOON + MINUTE)):
            await tx.identities.add(each)
    async with uow() as tx:
        assert await tx.identities.get("github", subject) == one
        assert await tx.identities.get("github", "nobody") is None
        assert await tx.identities.of(user.id) == [one, two]
        await tx.identities.remove(one)
    async with uow() as tx:
        assert await tx.identities.of(user.id) == [two]


async def test_people_are_paged(uow: Uow, user: User) -> None:
    other = replace(a_user(), operator=True, deletes_at=NOON)
    async with uow() as tx:
        await tx.users.add(other)
        first, second = sorted((user, other), key=lambda each: each.id)
        found = await tx.users.page(after=first.id, limit=1000)
        assert second in found
        assert first not in found
        assert len(await tx.users.page(after=None, limit=1)) == 1


async def test_of_many_who_link_one_account_at_once_one_finds_it_free(uow: Uow) -> None:
    users, subject = [a_user() for _ in range(8)], uuid4().hex
    async with uow() as tx:
        for each in users:
            await tx.users.add(each)

    async def link(user: User) -> UserId:
        async with uow() as tx:
            there = await tx.identities.get("google", subject)
            if there is not None:
                return there.user
            await tx.identities.add(
                LinkedIdentity(provider="google", subject=subject, user=user.id, linked_at=NOON)
            )
            return user.id

    assert len(set(await asyncio.gather(*map(link, users)))) == 1
