"""What is of no more use is deleted, by the fake and by PostgreSQL."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from adapters.postgres.purges.leftovers import SqlLeftovers
from application.jobs.purge import Kind, Leftovers
from domain.ids import AccountId, KeyId
from domain.usage.spend_limit import Per
from tests.contracts.sql_banks import SqlBank, sql_bank
from tests.contracts.tellers import Teller, a_teller
from tests.fakes.clock import SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.leftovers import FakeLeftovers

DAY, HOUR = timedelta(days=1), timedelta(hours=1)


class Attic(ABC):
    leftovers: Leftovers

    @abstractmethod
    async def put(self, kind: Kind, ago: timedelta | None) -> UUID:
        """Something that ended so long ago, or goes on."""

    @abstractmethod
    async def left(self, kind: Kind) -> set[UUID]: ...


class FakeAttic(Attic):
    def __init__(self) -> None:
        self._clock, self._new_id = SetClock(), CountedIds()
        self.leftovers = self._fake = FakeLeftovers(self._clock)

    async def put(self, kind: Kind, ago: timedelta | None) -> UUID:
        id = self._new_id()
        self._fake.rows[id] = (kind, None if ago is None else self._clock.now() - ago)
        return id

    async def left(self, kind: Kind) -> set[UUID]:
        return {id for id, (of, _) in self._fake.rows.items() if of is kind}


_IDS = {
    Kind.RESERVATIONS: "SELECT id FROM reservation",
    Kind.RUNS: "SELECT id FROM run",
    Kind.SESSIONS: "SELECT id FROM session",
    Kind.CODES: "SELECT user_id FROM mail_code",
    Kind.INVITATIONS: "SELECT id FROM invitation",
    Kind.ALERTS: "SELECT account_id FROM credit_alert",
    Kind.QUEUED_RUNS: "SELECT id FROM queued_run",
    Kind.BATCHES: "SELECT id FROM run_batch",
    Kind.INBOX: "SELECT event_id FROM inbox",
    Kind.STRIPE_EVENTS: "SELECT id::uuid FROM stripe_event WHERE id LIKE '%-%'",
    Kind.QUOTES: "SELECT id FROM quote",
}
_USER = """INSERT INTO app_user (id, email, email_key, name, operator, created_at)
           VALUES (:id, :id, :id, 'Ada', false, now())"""
_PUT = {
    Kind.RUNS: "INSERT INTO run VALUES (:account, :id, '{}', now() - :ago)",
    Kind.CODES: "INSERT INTO mail_code VALUES (:id, 'reset', '', 1, now() - :ago)",
    Kind.ALERTS: "INSERT INTO credit_alert VALUES (:account, now(), 80, now() - :ago)",
    Kind.QUEUED_RUNS: """INSERT INTO queued_run
        (account_id, id, workspace_id, position, feature, input, notify, state, attempts, charged,
         created_at, finished_at, kept_until)
        SELECT id, :id, workspace_id, 0, 'echo', '{}', false, 'done', 1, 0, now(), now(), now() - :ago
        FROM account WHERE id = :account""",
    Kind.BATCHES: "INSERT INTO run_batch VALUES (:account, :id, 'echo', 1, false, now() - :ago)",
    Kind.INBOX: "INSERT INTO inbox VALUES ('mail', :id, now() - :ago)",
    Kind.STRIPE_EVENTS: """INSERT INTO stripe_event
        VALUES (CAST(:id AS text), 'invoice.paid', NULL, now(), now() - :ago)""",
    Kind.QUOTES: """INSERT INTO quote VALUES
        (:account, :id, 'sub_1', '{}', 'now', now(), 1, 1, 'USD', 1, 1, now() - :ago)""",
}
_REFRESH = """INSERT INTO refresh_token (digest, user_id, session_id, created_at, expires_at)
            VALUES (cast(:id AS text)::bytea, :id, :id, now(), now())"""
_ENDED_SESSION = """INSERT INTO session VALUES
    (:id, :id, 'curl', '::1', now(), now(), now() + interval '1 day', now() - :ago)"""
_LATE_SESSION = """INSERT INTO session VALUES (:id, :id, 'curl', '::1', now(), now(), now() - :ago, NULL)"""
_INVITATION = """INSERT INTO invitation
    (workspace_id, id, email, email_key, role, digest, invited_by, created_at, expires_at, {end})
    SELECT workspace_id, :id, :id, :id, 'member', cast(:id AS text)::bytea, :id, now(),
           now() + interval '1 day', now() - :ago
    FROM account WHERE id = :account"""
_LATE_INVITATION = """INSERT INTO invitation
    (workspace_id, id, email, email_key, role, digest, invited_by, created_at, expires_at)
    SELECT workspace_id, :id, :id, :id, 'member', cast(:id AS text)::bytea, :id, now(), now() - :ago
    FROM account WHERE id = :account"""
_SETTLED = """UPDATE reservation
    SET settlement = settlement || jsonb_build_object('at', now() - :ago)
    WHERE id = :id"""


class SqlAttic(Attic):
    """Ends alternate, where there are several."""

    def __init__(self, bank: SqlBank) -> None:
        self.bank = bank
        self.leftovers = SqlLeftovers(bank.engine)
        bank.new_id = CountedIds(uuid4().int >> 32)  # of long ago, as UUIDv7 go
        self._count = 0

    async def put(self, kind: Kind, ago: timedelta | None) -> UUID:
        self._count += 1
        if kind is Kind.RESERVATIONS:
            return await self._reservation(await a_teller(self.bank, 10), ago)
        id = uuid4()
        account = await self.bank.open()
        if kind is Kind.ALERTS:
            id = account
        if kind in {Kind.SESSIONS, Kind.CODES, Kind.INVITATIONS}:
            await self._run(
                _USER.replace(":id", "cast(:id AS text)").replace("(cast(:id AS text),", "(:id,", 1),
                id,
                account,
                ago,
            )
        for statement in self._statements(kind):
            await self._run(statement, id, account, ago)
        return id

    def _statements(self, kind: Kind) -> list[str]:
        odd = self._count % 2
        if kind is Kind.SESSIONS:
            return [_ENDED_SESSION if odd else _LATE_SESSION, _REFRESH]
        if kind is Kind.INVITATIONS:
            texts = (
                _INVITATION.format(end="accepted_at"),
                _INVITATION.format(end="revoked_at"),
                _LATE_INVITATION,
            )
            return [texts[self._count % 3]]
        return [_PUT[kind]]

    async def _run(self, text: str, id: UUID, account: AccountId, ago: timedelta | None) -> None:
        statement = sa.text(text)
        values = {"id": id, "account": account, "ago": -DAY if ago is None else ago}
        names = statement.compile().params
        binds = [sa.bindparam(name, type_=sa.Interval() if name == "ago" else sa.Uuid()) for name in names]
        async with self.bank.engine.begin() as connection:
            await connection.execute(statement.bindparams(*binds), {name: values[name] for name in names})

    async def _reservation(self, teller: Teller, ago: timedelta | None) -> UUID:
        id = await teller.hold(3)
        if ago is not None:
            await teller.commit(id, 2)
            await self._run(_SETTLED, id, teller.account, ago)
        return id

    async def left(self, kind: Kind) -> set[UUID]:
        async with self.bank.engine.connect() as connection:
            return set(await connection.scalars(sa.text(_IDS[kind])))

    async def tokens(self) -> set[UUID]:
        async with self.bank.engine.connect() as connection:
            return set(await connection.scalars(sa.text("SELECT session_id FROM refresh_token")))


@pytest.fixture
async def sql_attic(own_database: str) -> AsyncIterator[SqlAttic]:
    async with sql_bank(own_database) as bank:
        yield SqlAttic(bank)
        assert await bank.auditor.audit(seconds=60) == []


async def purge(attic: Attic, kind: Kind, most: int = 2) -> list[int]:
    return [count async for count in attic.leftovers.purge(kind, keep=DAY, most=most)]


async def check(attic: Attic, kind: Kind) -> None:
    old = {await attic.put(kind, DAY + HOUR) for _ in range(5)}
    kept = {await attic.put(kind, ago) for ago in (None, HOUR, DAY - HOUR, HOUR)}
    assert await attic.left(kind) == old | kept
    counts = await purge(attic, kind)
    assert (sum(counts), max(counts) <= 2) == (5, True)
    assert await attic.left(kind) == kept
    assert sum(await purge(attic, kind)) == 0


@pytest.mark.parametrize("kind", Kind)
async def test_what_ended_long_ago_goes_and_the_rest_stays_in_memory(kind: Kind) -> None:
    await check(FakeAttic(), kind)


@pytest.mark.parametrize("kind", Kind)
async def test_what_ended_long_ago_goes_and_the_rest_stays(sql_attic: SqlAttic, kind: Kind) -> None:
    await check(sql_attic, kind)
    if kind is Kind.SESSIONS:
        assert await sql_attic.tokens() == await sql_attic.left(kind)


@pytest.mark.parametrize("kind", Kind)
async def test_several_may_purge_at_once(sql_attic: SqlAttic, kind: Kind) -> None:
    for _ in range(12):
        await sql_attic.put(kind, 2 * DAY)
    counts = await asyncio.gather(*(purge(sql_attic, kind) for _ in range(4)))
    while sum(more := await purge(sql_attic, kind)):  # each passes over what another is at
        counts.append(more)
    assert sum(map(sum, counts)) == 12


async def test_of_a_limits_spending_nothing_is_lost_to_the_audit(sql_attic: SqlAttic) -> None:
    bank, key = sql_attic.bank, KeyId(uuid4())
    teller = await a_teller(bank, 100)
    total = await bank.limit(teller.account, key, 50)
    daily = await bank.limit(teller.account, key, 50, period=Per.DAY)
    ended = []
    for count in (3, 4):
        held = await bank.ledger.execute(teller.order(count, key=key))
        await teller.commit(held.reservation.id, count)
        ended.append(held.reservation.id)
    released = await bank.ledger.execute(teller.order(9, key=key))
    await teller.release(released.reservation.id)
    open_ = await bank.ledger.execute(teller.order(5, key=key))
    for id in (ended[0], released.reservation.id):
        await sql_attic._run(_SETTLED, id, teller.account, 2 * DAY)  # noqa: SLF001
    assert sum(await purge(sql_attic, Kind.RESERVATIONS)) == 2
    assert await sql_attic.left(Kind.RESERVATIONS) == {ended[1], open_.reservation.id}
    assert await bank.auditor.audit(seconds=60) == []

    await sql_attic._run(_SETTLED, ended[1], teller.account, 2 * DAY)  # noqa: SLF001
    assert sum(await purge(sql_attic, Kind.RESERVATIONS)) == 1
    assert await bank.auditor.audit(seconds=60) == []
    assert await carried(bank) == {(total, 7), (daily, 7)}

    await bank.run("UPDATE spend_limit SET spent = spent + 1 WHERE id = :id", id=total)
    (finding,) = await bank.auditor.audit(seconds=60)
    assert (finding.expected, finding.found) == (7, 8)
    await bank.run("UPDATE spend_limit SET spent = spent - 1 WHERE id = :id", id=total)

    await bank.run(
        "UPDATE spend_limit SET since = since + interval '1 day', held = 0, spent = 0 WHERE id = :id",
        id=daily,
    )
    await purge(sql_attic, Kind.RESERVATIONS)
    assert await carried(bank) == {(total, 7)}


async def carried(bank: SqlBank) -> set[tuple[UUID, int]]:
    async with bank.engine.connect() as connection:
        rows = await connection.execute(sa.text("SELECT limit_id, spent FROM limit_carry"))
        return {(id, spent) for id, spent in rows}
