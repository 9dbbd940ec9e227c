"""What is held about somebody, across all tables, by the fake and by PostgreSQL."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeAlias
from uuid import uuid4

import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.runs import SqlRuns
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.audit.record import Record
from application.identity.personal_data import EraseUsers
from application.keys.keys import RevokeKeys
from domain.audit.entry import ActorKind, Entry
from domain.credits import Quantity
from domain.email import Email
from domain.events import DeadLetter, DeadLetterMissing, EventId
from domain.features.run import Produced
from domain.identity.code import Code, Purpose
from domain.identity.elsewhere import LinkedIdentity
from domain.identity.second_factor import SecondFactor
from domain.identity.session import RefreshToken, Session
from domain.identity.user import User, UserMissing
from domain.ids import (
    AccountId,
    EntryId,
    InvitationId,
    KeyId,
    PlanRef,
    ReservationId,
    SessionId,
    UserId,
    WorkspaceId,
)
from domain.keys.key import Key, KeyKind
from domain.usage.account import Account
from domain.workspaces.invitation import LASTS, Invitation
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON, SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.unit_of_work import FakeTx

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]
new_id = CountedIds()
LONG_AGO = datetime(2001, 1, 1, tzinfo=UTC)
"""Before anybody else in the same database is due."""


async def a_user(uow: Uow, **changed: object) -> User:
    id = UserId(new_id())
    email = Email(f"{id.hex}@Example.org", f"{id.hex}@example.org")
    user = User(id=id, email=email, name="Ada", password="hashed", created_at=NOON, confirmed_at=NOON)  # noqa: S106
    user = replace(user, **changed)  # type: ignore[arg-type] # as a test wants
    async with uow() as tx:
        await tx.users.add(user)
    return user


async def a_place(uow: Uow, user: User, kind: Kind, role: Role) -> tuple[Workspace, Key]:
    """With a key that the user made."""
    workspace = Workspace(id=WorkspaceId(new_id()), name="Acme", kind=kind, created_at=NOON)
    account = Account(
        id=AccountId(new_id()),
        workspace=workspace.id,
        plan=PlanRef("api", "team", 1),
        frozen=False,
        anchor=NOON,
    )
    key = Key(
        id=KeyId(new_id()),
        kind=KeyKind.LIVE,
        digest=uuid4().bytes,
        name="ci",
        last_four="abcd",
        workspace=workspace.id,
        account=account.id,
        created_at=NOON,
        created_by=user.id,
    )
    async with uow() as tx:
        await tx.workspaces.add(workspace)
        await tx.accounts.add(account)
        await tx.members.add(Membership(workspace=workspace.id, user=user.id, role=role, joined_at=NOON))
        await tx.keys.add(key)
    return workspace, key


async def test_all_that_is_held_is_found_and_nobody_elses(uow: Uow) -> None:
    user, other = await a_user(uow), await a_user(uow)
    team, key = await a_place(uow, user, Kind.TEAM, Role.OWNER)
    await a_place(uow, other, Kind.TEAM, Role.OWNER)
    sessions = [
        Session.begin(user.id, SessionId(new_id()), device="curl", address="::1", now=NOON) for _ in range(2)
    ]
    link = LinkedIdentity(provider="google", subject=str(user.id), user=user.id, linked_at=NOON)
    invitation = Invitation(
        workspace=team.id,
        id=InvitationId(new_id()),
        email=user.email,
        role=Role.MEMBER,
        digest=uuid4().bytes,
        invited_by=other.id,
        created_at=NOON,
        expires_at=NOON + LASTS,
    )
    entry = Entry(
        workspace=team.id,
        id=EntryId(new_id()),
        at=NOON,
        actor_kind=ActorKind.USER,
        actor=user.id,
        address="::1",
        action="key.created",
        target="key",
        after={"name": "ci"},
    )
    async with uow() as tx:
        for session in sessions:
            await tx.sessions.add(session)
        await tx.sessions.save(sessions[0].end(NOON))
        await tx.identities.add(link)
        await tx.invitations.add(invitation)
        await tx.audit.add(entry)
        await tx.audit.add(replace(entry, id=EntryId(new_id()), actor=other.id))
    async with uow() as tx:
        held = await tx.personal.held(user)
    assert held.user == user
    assert list(held.sessions) == [sessions[0].end(NOON), sessions[1]]
    assert list(held.identities) == [link]
    assert list(held.keys) == [key]
    assert list(held.entries) == [entry]
    assert list(held.invitations) == [invitation]
    assert [each.workspace for each in held.memberships] == [team.id]


async def test_of_the_erased_nothing_is_left_and_the_address_is_free(uow: Uow) -> None:
    user = await a_user(uow, deletes_at=LONG_AGO)
    inviter = await a_user(uow)
    team, made = await a_place(uow, user, Kind.TEAM, Role.ADMIN)
    own, own_key = await a_place(uow, user, Kind.PERSONAL, Role.OWNER)
    session = Session.begin(user.id, SessionId(new_id()), device="curl", address="::1", now=NOON)
    invitation = Invitation(
        workspace=team.id,
        id=InvitationId(new_id()),
        email=user.email,
        role=Role.MEMBER,
        digest=uuid4().bytes,
        invited_by=inviter.id,
        created_at=NOON,
        expires_at=NOON + LASTS,
    )
    async with uow() as tx:
        await tx.sessions.add(session)
        token = RefreshToken(digest=user.id.bytes, user=user.id, session=session.id, created_at=NOON)
        await tx.sessions.add_token(token)
        await tx.codes.put(Code(user=user.id, purpose=Purpose.RESET, digest=b"1", expires_at=NOON))
        await tx.second_factors.save(SecondFactor(user=user.id, sealed=b"s"))
        await tx.second_factors.put_codes(user.id, [b"1"])
        await tx.identities.add(
            LinkedIdentity(provider="google", subject=str(user.id), user=user.id, linked_at=NOON)
        )
        await tx.invitations.add(invitation)
    record, clock = Record(SetClock(), CountedIds()), SetClock(LONG_AGO + timedelta(days=1))
    erase = EraseUsers(uow=uow, revoke_keys=RevokeKeys(clock, record), clock=clock, record=record)
    done = await asyncio.gather(*(erase() for _ in range(4)))
    assert [each for one in done for each in one.erased] == [user.id]
    async with uow() as tx:
        with pytest.raises(UserMissing):
            await tx.users.get(user.id)
        held = await tx.personal.held(user)
        assert (held.sessions, held.identities, held.invitations) == ([], [], [])
        assert [each.workspace for each in held.memberships] == [own.id]
        for each in (made, own_key):
            assert (await tx.keys.get(each.id)).revoked_at == clock.time
        assert await tx.sessions.token(user.id.bytes) is None
        assert await tx.codes.get(user.id, Purpose.RESET) is None
        assert await tx.second_factors.get(user.id) is None
        assert await tx.second_factors.codes_left(user.id) == 0
        kept = {each.id: each for each in await tx.workspaces.all()}
        assert (kept[own.id].name, kept[own.id].deleted_at) == ("erased", clock.time)
        assert kept[team.id].deleted_at is None
        assert await tx.users.add(replace(user, id=UserId(new_id()), deletes_at=None))


async def test_what_models_answered_to_the_erased_is_gone_and_a_teams_stays(contract_database: str) -> None:
    engine = make_engine(contract_database)
    uow: Uow = SqlUnitOfWork(make_sessions(engine))  # type: ignore[assignment] # its transactions are alike
    user, runs = await a_user(uow, deletes_at=LONG_AGO), SqlRuns(engine)
    _, own = await a_place(uow, user, Kind.PERSONAL, Role.OWNER)
    _, teams = await a_place(uow, user, Kind.TEAM, Role.MEMBER)
    id = ReservationId(new_id())
    outcome = Produced(output={"text": "dear Ada"}, model="local", usage=Quantity(units=1), latency_ms=1)
    for key in (own, teams):
        assert key.account is not None
        await runs.keep(key.account, id, outcome)
    async with uow() as tx:
        await tx.personal.erase(user, NOON)
    assert own.account is not None
    assert teams.account is not None
    assert await runs.find(own.account, id) is None
    assert await runs.find(teams.account, id) == outcome
    await engine.dispose()


async def test_mails_to_the_erased_that_were_given_up_are_gone_and_those_to_others_stay(uow: Uow) -> None:
    user, other = await a_user(uow), await a_user(uow)
    letters = [
        DeadLetter(
            consumer="mail",
            id=EventId(new_id()),
            kind="mail.requested",
            version=1,
            workspace=None,
            occurred_at=NOON,
            body=f'{{"to":"{each.email.text}"}}',
            reason="mail_refused",
            attempts=1,
            died_at=NOON,
        )
        for each in (user, other)
    ]
    async with uow() as tx:
        for letter in letters:
            await tx.dead_letters.add(letter)
        await tx.personal.erase(user, NOON)
    async with uow() as tx:
        with pytest.raises(DeadLetterMissing):
            await tx.dead_letters.get("mail", letters[0].id)
        assert await tx.dead_letters.get("mail", letters[1].id) == letters[1]
