"""The audit names what does not add up, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.audit import SqlAuditor
from adapters.postgres.engine import make_engine
from application.usage.ports import AuditTooSlow, Finding
from domain.ids import LotId, ReservationId
from tests.contracts.banks import a_plan
from tests.contracts.sql_banks import SqlBank, sql_bank
from tests.contracts.tellers import Teller, a_teller
from tests.servers import eventually

HELD = "held is not what open reservations hold"
SPENT = "spent is not what was charged and repaid"
GRANTED = "more is held and spent than was granted"
PAID = "charged is not what its lots paid"
COST = "charged and uncollected are not the cost"
TWICE = "it was charged more than once"
HOURS = "the hourly sums are not the charges"


@dataclass(frozen=True)
class Books:
    """Of 20 microcredits in one lot, 4 are held and 3 were charged; then there is a test call."""

    bank: SqlBank
    teller: Teller
    lot: LotId
    open: ReservationId
    charged: ReservationId

    async def spoil(self, statement: str) -> None:
        await self.bank.run(statement, account=self.teller.account)

    async def findings(self) -> set[tuple[object, ...]]:
        found = await self.bank.auditor.audit(seconds=60)
        assert {each.account for each in found} <= {self.teller.account}
        return {(name_of(self, each), each.fault, each.expected, each.found) for each in found}


def name_of(books: Books, finding: Finding) -> str | None:
    names = {books.lot: "lot", books.open: "open", books.charged: "charged", None: None}
    return names[finding.lot] or names[finding.reservation]


@pytest.fixture
async def books(database: str) -> AsyncIterator[Books]:
    async with sql_bank(database) as bank:
        await bank.run("ALTER TABLE lot DROP CONSTRAINT ck_lot_balance")
        for plan in (None, a_plan(overdraft=5), a_plan(monthly=10)):
            other = await a_teller(bank, 10, plan=plan)
            await other.hold(2)
            await other.commit(await other.hold(3), 14)
            await other.release(await other.hold(0))
            await other.grant(8)
        teller = await a_teller(bank)
        lot = (await teller.grant(20)).lot.id
        open_, charged = await teller.hold(4), await teller.hold(5)
        await teller.commit(charged, 3)
        await teller.commit(await teller.hold(9, test=True), 9)
        yield Books(bank, teller, lot, open_, charged)


async def test_books_in_order_have_no_findings(books: Books) -> None:
    assert await books.findings() == set()


async def test_a_time_that_nobody_wrote_down_is_no_fault(books: Books) -> None:
    await books.spoil(
        "UPDATE reservation SET expires_at = now() - interval '1 day' WHERE account_id = :account"
    )
    await books.spoil("UPDATE lot SET expires_at = now() - interval '1 day' WHERE account_id = :account")
    assert await books.findings() == set()


@pytest.mark.parametrize(
    ("damage", "findings"),
    [
        ("UPDATE lot SET held = held + 1 WHERE account_id = :account", {("lot", HELD, 4, 5)}),
        ("UPDATE lot SET held = 3 WHERE account_id = :account", {("lot", HELD, 4, 3)}),
        (
            "UPDATE lot SET held = -1 WHERE account_id = :account",
            {("lot", HELD, 4, -1), ("lot", "held is negative", 0, -1)},
        ),
        ("UPDATE lot SET spent = spent + 1 WHERE account_id = :account", {("lot", SPENT, 3, 4)}),
        (
            "UPDATE lot SET spent = -1 WHERE account_id = :account",
            {("lot", SPENT, 3, -1), ("lot", "spent is negative", 0, -1)},
        ),
        ("UPDATE lot SET granted = 6 WHERE account_id = :account", {("lot", GRANTED, 6, 7)}),
        ("DELETE FROM lot WHERE account_id = :account", {("lot", HELD, 4, 0), ("lot", SPENT, 3, 0)}),
        (
            "DELETE FROM reservation WHERE account_id = :account AND state = 'held'",
            {("lot", HELD, 0, 4)},
        ),
        (
            """UPDATE reservation SET state = 'released', settlement = '{}' WHERE account_id = :account
               AND state = 'held'""",
            {("lot", HELD, 0, 4)},
        ),
        (
            "DELETE FROM usage_record WHERE account_id = :account AND NOT test",
            {("lot", SPENT, 0, 3), (None, HOURS, 0, 3)},
        ),
        (
            "UPDATE usage_record SET charged = 2, uncollected = 1 WHERE account_id = :account AND NOT test",
            {("charged", PAID, 2, 3), (None, HOURS, 2, 3)},
        ),
        (
            "UPDATE usage_record SET uncollected = 1 WHERE account_id = :account AND NOT test",
            {("charged", COST, 3, 4)},
        ),
        (
            """INSERT INTO usage_record SELECT (again).* FROM (
                   SELECT jsonb_populate_record(u, '{"recorded_at": "2026-12-31T00:00:00Z"}') AS again
                   FROM usage_record u WHERE account_id = :account AND NOT test
               ) twice""",
            {("charged", TWICE, 1, 2), ("lot", SPENT, 6, 3), (None, HOURS, 6, 3)},
        ),
        (
            "UPDATE usage_hour SET charged = 9 WHERE account_id = :account AND NOT test",
            {(None, HOURS, 3, 9)},
        ),
        ("DELETE FROM usage_hour WHERE account_id = :account", {(None, HOURS, 3, 0)}),
    ],
)
async def test_what_does_not_add_up_is_named_and_nothing_else(
    books: Books, damage: str, findings: set[tuple[object, ...]]
) -> None:
    await books.spoil(damage)
    assert await books.findings() == findings


@asynccontextmanager
async def held_up(books: Books) -> AsyncIterator[AsyncConnection]:
    """Nobody can read the lots meanwhile."""
    async with books.bank.engine.begin() as connection:
        await connection.execute(sa.text("LOCK TABLE lot IN ACCESS EXCLUSIVE MODE"))
        yield connection


async def test_an_audit_that_takes_too_long_is_not_a_database_that_is_away(books: Books) -> None:
    async with held_up(books):
        with pytest.raises(AuditTooSlow) as late:
            await books.bank.auditor.audit(seconds=0.2)
    assert str(late.value) == "the audit was not done within 0.2 s: give it longer with --timeout"
    assert await books.findings() == set()


_WAITING = sa.text("""SELECT count(*) FROM pg_locks WHERE pg_backend_pid() = ANY (pg_blocking_pids(pid))
    AND waitstart < clock_timestamp() - interval '1.2 s'""")


async def test_it_may_take_longer_than_other_statements(books: Books, database: str) -> None:
    name = sa.make_url(database).database
    await books.bank.run(f'ALTER DATABASE "{name}" SET statement_timeout = 1000')
    engine = make_engine(database, command_timeout=1)
    async with held_up(books) as connection:

        async def waits() -> bool:
            return bool(await connection.scalar(_WAITING))

        audit = asyncio.create_task(SqlAuditor(engine).audit(seconds=60))
        await eventually(waits)
    assert await audit == []
    await engine.dispose()
