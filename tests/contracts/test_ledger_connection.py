"""Connections are lost, and nothing is charged twice or answered wrongly for that."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import sqlalchemy as sa

from adapters.postgres.audit import SqlAuditor
from adapters.postgres.engine import make_engine
from adapters.postgres.ledger import SqlLedger
from adapters.postgres.readers.usage import SqlUsageReader
from adapters.postgres.terms import SqlTerms
from application.usage.ports import By
from domain.errors import DatabaseUnavailable
from domain.ids import AccountId
from domain.usage.settle import Commit
from tests.contracts.sql_banks import SqlBank, sql_bank, until_it_blocks
from tests.contracts.tellers import Teller, a_teller, tokens
from tests.fakes.proxy import LossyProxy, lossy

COMMITTED = b"COMMIT\0"
"""What the server answers to a COMMIT."""
END_OTHERS = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True)
class Line:
    """To one bank over a network that loses connections, and beside it, without."""

    proxy: LossyProxy
    bank: SqlBank
    beside: SqlBank

    async def teller(self, granted: int) -> Teller:
        beside = await a_teller(self.beside, granted)
        return Teller(self.bank, beside.account)


@pytest.fixture
async def line(contract_database: str) -> AsyncIterator[Line]:
    async with (
        lossy(contract_database) as proxy,
        sql_bank(proxy.url) as bank,
        sql_bank(contract_database) as beside,
    ):
        yield Line(proxy, bank, beside)
        await beside.check()


async def test_a_commit_whose_answer_was_lost_is_charged_once_and_answered(line: Line) -> None:
    teller = await line.teller(10)
    id = await teller.hold(5)
    line.proxy.losing = COMMITTED
    settled = await teller.commit(id, 3)
    assert line.proxy.lost == 1
    assert (settled.settlement.charged, settled.settlement.available) == (3, 7)
    assert (await line.beside.books(teller.account)).spent == 3


async def test_a_reservation_whose_answer_was_lost_is_held_once_and_is_ones_own(line: Line) -> None:
    teller = await line.teller(10)
    line.proxy.losing = COMMITTED
    reserved, other = await asyncio.gather(teller.reserve(4, request="order 1"), teller.reserve(3))
    assert line.proxy.lost == 1
    assert not reserved.replayed
    assert (reserved.reservation.opening.available, other.reservation.opening.available) == (6, 3)
    assert (await line.beside.books(teller.account)).held == 7


async def test_a_grant_whose_answer_was_lost_is_made_once(line: Line) -> None:
    teller = await line.teller(10)
    line.proxy.losing = COMMITTED
    assert (await teller.grant(5)).available == 15
    assert line.proxy.lost == 1


async def test_a_connection_that_is_lost_while_a_batch_is_written_is_replaced(line: Line) -> None:
    teller = await line.teller(10)
    async with line.beside.engine.begin() as blocking:
        await blocking.execute(
            sa.text("SELECT 1 FROM account WHERE id = :account FOR UPDATE"), {"account": teller.account}
        )
        waiting = asyncio.create_task(teller.reserve(4))
        await until_it_blocks(blocking)
        line.proxy.cut()
    assert (await waiting).reservation.opening.available == 6


async def test_a_database_that_is_away_says_so_to_everybody_and_then_works_again(line: Line) -> None:
    teller = await line.teller(10)
    line.proxy.away = True
    line.proxy.cut()
    answers = await asyncio.gather(teller.reserve(4), teller.reserve(3), return_exceptions=True)
    assert [type(each) for each in answers] == [DatabaseUnavailable, DatabaseUnavailable]
    assert line.bank.meter.commands == {("reserve", "database_unavailable"): 2}
    line.proxy.away = False
    assert (await teller.reserve(4)).reservation.opening.available == 6


async def test_whatever_reads_says_that_the_database_is_away(line: Line) -> None:
    teller = await line.teller(10)
    now = await line.beside.now()
    id = await teller.hold(1)
    line.proxy.away = True
    line.proxy.cut()
    reader = line.bank.reader
    for attempt in (
        reader.balance(teller.account),
        reader.reservation(teller.account, id),
        reader.sums(teller.account, now, now, frozenset({By.DAY})),
        reader.records(teller.account, now, now, after=None, limit=1),
        line.bank.auditor.audit(seconds=60),
    ):
        with pytest.raises(DatabaseUnavailable):
            await attempt


async def test_a_connection_that_ended_while_nobody_needed_it_is_not_noticed(database: str) -> None:
    async with sql_bank(database) as bank:
        teller = await a_teller(bank, 10)
        engine = make_engine(database, pool_size=1)
        async with engine.connect() as killer:
            await killer.execute(sa.text(END_OTHERS))
        await engine.dispose()
        assert (await teller.reserve(4)).reservation.opening.available == 6
        assert await teller.available() == 6
        await bank.check()


async def test_nothing_listens_there() -> None:
    engine = make_engine("postgresql://nobody@127.0.0.1:1/nothing")
    bank = SqlBank(engine)
    ledger = SqlLedger(engine, SqlTerms(), bank.new_id, bank.meter)
    teller = Teller(bank, AccountId(bank.new_id()))
    command = Commit(account=teller.account, reservation=teller.order(1).id, usage=tokens(1))
    with pytest.raises(DatabaseUnavailable):
        await ledger.execute(command)
    with pytest.raises(DatabaseUnavailable):
        await SqlUsageReader(engine, SqlTerms(), bank.new_id).balance(teller.account)
    with pytest.raises(DatabaseUnavailable):
        await SqlAuditor(engine).audit(seconds=60)
    await engine.dispose()
