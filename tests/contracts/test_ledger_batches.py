"""What PostgreSQL's ledger does with many commands, bad ones among them."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import pytest
import sqlalchemy as sa

from adapters.postgres.ledger import SqlLedger
from adapters.postgres.terms import SqlTerms
from domain.ids import AccountId
from domain.usage.desk import Desk
from domain.usage.errors import AccountMissing, InsufficientCredits, ReservationMissing
from domain.usage.reserve import Reserved
from tests.contracts.sql_banks import SqlBank, until_it_blocks
from tests.contracts.tellers import Teller, a_teller

LOCK = "SELECT 1 FROM account WHERE id = :account FOR UPDATE"


@dataclass(frozen=True)
class Broken:
    """A command with a bug, which shows when half of its work is done."""

    account: AccountId
    reservation: None = None
    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> None:
        desk.hold(desk.take(1, now))
        raise ZeroDivisionError


async def test_what_arrives_while_a_batch_is_written_is_the_next_batch(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 100)
    postgres.meter.batches.clear()
    async with postgres.engine.begin() as blocking:
        await blocking.execute(sa.text(LOCK), {"account": teller.account})
        first = asyncio.create_task(teller.reserve(1))
        await until_it_blocks(blocking)
        others = [asyncio.create_task(teller.reserve(1)) for _ in range(40)]
    await asyncio.gather(first, *others)
    assert postgres.meter.batches == [1, 40]


async def test_a_batch_has_an_end(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 300)
    postgres.meter.batches.clear()
    await asyncio.gather(*(teller.reserve(1) for _ in range(300)))
    assert postgres.meter.batches == [256, 44]


async def test_commands_are_decided_as_they_arrive(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 10)
    postgres.meter.batches.clear()
    order = teller.order(10)
    answers = await asyncio.gather(
        postgres.ledger.execute(order),
        teller.reserve(1),
        teller.commit(order.id, 4),
        teller.reserve(7),
        teller.grant(1),
        teller.reserve(7),
        return_exceptions=True,
    )
    assert postgres.meter.batches == [6]
    refused = [isinstance(each, InsufficientCredits) for each in answers]
    assert refused == [False, True, False, True, False, False]


async def test_what_became_of_each_command_is_counted(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 10)
    id = (await teller.reserve(4, request="order 1")).reservation.id
    await teller.reserve(4, request="order 1")
    await teller.commit(id, 4)
    await teller.commit(id, 4)
    for attempt in (
        teller.reserve(100),
        teller.release(id),
        Teller(postgres, AccountId(postgres.new_id())).reserve(1),
    ):
        with pytest.raises(Exception, match=r"credits|before|no such"):
            await attempt
    assert postgres.meter.commands == {
        ("grant", "done"): 1,
        ("reserve", "done"): 1,
        ("reserve", "replayed"): 1,
        ("commit", "done"): 1,
        ("commit", "replayed"): 1,
        ("reserve", "insufficient_credits"): 1,
        ("release", "reservation_settled"): 1,
        ("reserve", "account_missing"): 1,
    }


async def test_a_command_with_a_bug_harms_no_other(postgres: SqlBank) -> None:
    teller, other = await a_teller(postgres, 10), await a_teller(postgres, 10)
    postgres.meter.commands.clear()
    answers = await asyncio.gather(
        teller.reserve(3),
        postgres.ledger.execute(Broken(teller.account)),
        teller.reserve(4),
        other.reserve(5),
        teller.reserve(4),
        return_exceptions=True,
    )
    assert [type(each) for each in answers] == [
        Reserved,
        ZeroDivisionError,
        Reserved,
        Reserved,
        InsufficientCredits,
    ]
    assert (await teller.available(), await other.available()) == (3, 5)
    assert postgres.meter.commands == {("reserve", "done"): 3, ("reserve", "insufficient_credits"): 1}


@pytest.mark.parametrize("text", ["\x00", "order\x00", "\ud800"], ids=["nul", "nul-inside", "surrogate"])
async def test_a_text_that_postgresql_refuses_harms_no_other(postgres: SqlBank, text: str) -> None:
    teller = await a_teller(postgres, 10)
    good, bad, fingerprint, model = await asyncio.gather(
        teller.reserve(3),
        teller.reserve(3, request=text),
        postgres.ledger.execute(teller.order(3, fingerprint=text)),
        teller.commit((await teller.reserve(1)).reservation.id, 1, model=text),
        return_exceptions=True,
    )
    assert isinstance(good, Reserved)
    for each in (bad, fingerprint, model):
        assert isinstance(each, Exception)
        assert not isinstance(each, InsufficientCredits)
    assert await teller.available() == 6


async def test_an_account_on_a_plan_that_nobody_published_harms_no_other(postgres: SqlBank) -> None:
    teller, broken = await a_teller(postgres, 10), await a_teller(postgres)
    await postgres.run("UPDATE account SET plan = 'lost' WHERE id = :account", account=broken.account)
    good, bad = await asyncio.gather(teller.reserve(3), broken.reserve(1), return_exceptions=True)
    assert isinstance(good, Reserved)
    assert isinstance(bad, Exception)


async def test_what_is_missing_is_missing_in_a_batch_too(postgres: SqlBank) -> None:
    teller, nobody = await a_teller(postgres, 10), Teller(postgres, AccountId(postgres.new_id()))
    theirs = (await (await a_teller(postgres, 10)).reserve(1)).reservation.id
    answers = await asyncio.gather(
        nobody.reserve(1),
        teller.release(theirs),
        teller.reserve(1),
        nobody.release(theirs),
        return_exceptions=True,
    )
    missing = ReservationMissing
    assert [type(each) for each in answers] == [AccountMissing, missing, Reserved, missing]


async def test_whoever_leaves_before_a_command_is_taken_on_reserves_nothing(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 10)
    async with postgres.engine.begin() as blocking:
        await blocking.execute(sa.text(LOCK), {"account": teller.account})
        served = asyncio.create_task(teller.reserve(1, request="served"))
        await until_it_blocks(blocking)
        waiting, staying = asyncio.create_task(teller.reserve(2)), asyncio.create_task(teller.reserve(3))
        await asyncio.sleep(0)
        served.cancel()
        waiting.cancel()
    assert (await staying).reservation.opening.available == 6
    again = await teller.reserve(1, request="served")
    assert again.replayed, "it was being written when its caller left"
    assert len((await postgres.books(teller.account)).reservations) == 2


async def test_a_ledger_that_closes_answers_what_it_has_taken_on(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 10)
    ledger = SqlLedger(postgres.engine, SqlTerms(), postgres.new_id, postgres.meter)
    tasks = [asyncio.create_task(ledger.execute(teller.order(1))) for _ in range(5)]
    await asyncio.sleep(0)
    await ledger.close()
    assert all(task.done() for task in tasks)
    assert len([await task for task in tasks]) == 5
    await ledger.close()


async def test_two_ledgers_that_want_the_same_accounts_do_not_block_each_other(postgres: SqlBank) -> None:
    tellers = [await a_teller(postgres, 40) for _ in range(6)]
    ledgers = [SqlLedger(postgres.engine, SqlTerms(), postgres.new_id, postgres.meter) for _ in range(2)]

    async def work(ledger: SqlLedger, order: list[Teller]) -> None:
        for _ in range(10):
            await asyncio.gather(*(ledger.execute(teller.order(2)) for teller in order))

    await asyncio.gather(work(ledgers[0], tellers), work(ledgers[1], tellers[::-1]))
    assert [await teller.available() for teller in tellers] == [0] * 6
