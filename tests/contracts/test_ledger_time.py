"""What time does to the books, it does by itself, by the ledger's own clock, with no job that runs."""

import asyncio
from datetime import timedelta

import pytest
import sqlalchemy as sa

from domain.usage.errors import InsufficientCredits, ReservationExpired
from domain.usage.lot import Source
from domain.usage.reservation import State
from tests.contracts.banks import SURE, Bank, a_plan
from tests.contracts.sql_banks import SqlBank, until_it_blocks
from tests.contracts.tellers import Teller, a_teller

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def test_a_hold_counts_up_to_its_deadline_and_no_longer(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    id = await teller.hold(10)
    await teller.pass_by(14 * MINUTE)
    assert await teller.available() == 0
    await teller.pass_by(MINUTE)
    assert await teller.available() == 10
    assert (await teller.reserve(10)).reservation.opening.available == 0
    with pytest.raises(ReservationExpired):
        await teller.commit(id, 1)
    with pytest.raises(ReservationExpired):
        await teller.release(id)


async def test_more_holds_that_ran_out_than_one_transaction_settles_all_count_no_longer(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.postgres.ledger.MOST_OVERDUE", 2)
    teller = await a_teller(bank, 10)
    ids = [await teller.hold(2) for _ in range(5)]
    await teller.pass_by(HOUR)
    assert await teller.available() == 10
    assert (await teller.reserve(10)).reservation.opening.available == 0
    for id in ids:
        assert (await bank.reader.reservation(teller.account, id)).state is State.EXPIRED


async def test_a_started_call_past_its_deadline_is_refunded_or_charged_as_its_feature_says(
    bank: Bank,
) -> None:
    teller = await a_teller(bank, 10)
    refunded, charged, never_started = (
        await teller.hold(3),
        await teller.hold(4, feature=SURE),
        await teller.hold(2, feature=SURE),
    )
    await teller.start(refunded)
    await teller.start(charged)
    await teller.pass_by(HOUR)
    assert await teller.available() == 6
    seen = await bank.reader.reservation(teller.account, charged)
    assert seen.state is State.EXPIRED
    assert seen.settlement is not None
    assert (seen.settlement.charged, seen.settlement.at) == (4, seen.expires_at)

    await teller.hold(1)
    (record,) = (await bank.books(teller.account)).records
    assert (record.id, record.cost, record.charged) == (charged, 4, 4)
    for id in (refunded, charged, never_started):
        with pytest.raises(ReservationExpired):
            await teller.commit(id, 1)
    assert await teller.available() == 5


async def test_an_extended_call_outlives_its_first_deadline(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    id = await teller.hold(4)
    await teller.pass_by(10 * MINUTE)
    await teller.extend(id, expires_in=HOUR)
    await teller.pass_by(59 * MINUTE)
    assert (await teller.commit(id, 4)).settlement.charged == 4


async def test_a_call_is_charged_or_expired_and_never_both(bank: Bank) -> None:
    teller = await a_teller(bank, 60)
    ids = [await teller.hold(1, expires_in=timedelta(milliseconds=5 * each)) for each in range(1, 41)]
    await bank.pass_by(teller.account, timedelta(milliseconds=100))
    answers = await asyncio.gather(*(teller.commit(id, 1) for id in ids), return_exceptions=True)
    expired = [each for each in answers if isinstance(each, ReservationExpired)]
    states = [(await bank.reader.reservation(teller.account, id)).state for id in ids]
    assert states.count(State.EXPIRED) == len(expired) > 0
    assert states.count(State.COMMITTED) == len(ids) - len(expired)
    assert await teller.available() == 60 - states.count(State.COMMITTED)


async def test_many_holds_that_nobody_settled_all_end_at_once(bank: Bank) -> None:
    teller = await a_teller(bank, 300)
    await asyncio.gather(*(teller.hold(1) for _ in range(300)))
    await teller.pass_by(HOUR)
    assert (await teller.reserve(300)).reservation.opening.available == 0
    states = [each.state for each in (await bank.books(teller.account)).reservations]
    assert (states.count("expired"), states.count("held")) == (300, 1)


async def test_a_lot_counts_up_to_its_end_and_no_longer(bank: Bank) -> None:
    teller = await a_teller(bank)
    await teller.grant(10, expires_at=await bank.now() + HOUR)
    await teller.pass_by(59 * MINUTE)
    assert await teller.available() == 10
    await teller.pass_by(MINUTE)
    assert await teller.available() == 0
    with pytest.raises(InsufficientCredits):
        await teller.hold(1)


async def test_a_lot_that_expires_between_hold_and_commit_pays_what_it_held_and_no_more(bank: Bank) -> None:
    teller = await a_teller(bank)
    lot = (await teller.grant(10, expires_at=await bank.now() + 5 * MINUTE)).lot.id
    id, extended = await teller.hold(4), await teller.hold(1)
    await teller.pass_by(10 * MINUTE)
    with pytest.raises(InsufficientCredits):
        await teller.extend(extended, 2)
    settlement = (await teller.commit(id, 7)).settlement
    assert (settlement.charged, settlement.uncollected, settlement.charges) == (4, 3, ((lot, 4),))


async def test_what_is_given_back_to_an_expired_lot_is_void(bank: Bank) -> None:
    teller = await a_teller(bank)
    await teller.grant(10, expires_at=await bank.now() + 5 * MINUTE)
    id, partly, forgotten = await teller.hold(4), await teller.hold(4), await teller.hold(2)
    await teller.pass_by(10 * MINUTE)
    assert (await teller.release(id)).settlement.available == 0
    assert (await teller.commit(partly, 1)).settlement.available == 0
    await teller.pass_by(10 * MINUTE)
    assert await teller.available() == 0
    assert (await bank.reader.reservation(teller.account, forgotten)).state is State.EXPIRED


async def test_a_free_plans_month_opens_when_it_is_first_needed(bank: Bank) -> None:
    teller = await a_teller(bank, plan=a_plan(monthly=20))
    assert (await bank.books(teller.account)).lots == {}
    assert await teller.available() == 20
    assert (await teller.reserve(15)).reservation.opening.available == 5
    (lot,) = (await teller.balance()).lots
    assert (lot.source, lot.granted) == (Source.ALLOCATION, 20)
    await teller.pass_by(27 * DAY)
    assert await teller.available() == 20
    await teller.pass_by(5 * DAY)
    assert await teller.available() == 20
    assert (await teller.reserve(20)).reservation.opening.available == 0


async def test_many_at_once_open_one_month(bank: Bank) -> None:
    teller = await a_teller(bank, plan=a_plan(monthly=20))
    answers = await asyncio.gather(*(teller.hold(1) for _ in range(30)), return_exceptions=True)
    assert len([each for each in answers if isinstance(each, InsufficientCredits)]) == 10
    assert len((await bank.books(teller.account)).lots) == 1


async def test_months_that_nobody_used_are_not_made_up_for(bank: Bank) -> None:
    teller = Teller(bank, await bank.open(a_plan(monthly=20), age=100 * DAY))
    assert await teller.available() == 20
    await teller.hold(1)
    await teller.pass_by(200 * DAY)
    assert (await teller.grant(1)).available == 21


async def test_a_month_pays_back_what_the_last_one_lent(bank: Bank) -> None:
    teller = await a_teller(bank, plan=a_plan(monthly=20, overdraft=10))
    await teller.commit(await teller.hold(20), 28)
    await teller.pass_by(32 * DAY)
    balance = await teller.balance()
    assert (balance.available, balance.overdrawn) == (12, 0)
    assert (await teller.reserve(12)).reservation.opening.available == 0


async def test_a_deadline_that_passes_while_a_commit_waits_its_turn_has_passed(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 10)
    id = await teller.hold(4)
    async with postgres.engine.begin() as blocking:
        await blocking.execute(
            sa.text("SELECT 1 FROM account WHERE id = :account FOR UPDATE"), {"account": teller.account}
        )
        waiting = asyncio.create_task(teller.commit(id, 4))
        await until_it_blocks(blocking)
        await blocking.execute(
            sa.text("UPDATE reservation SET expires_at = clock_timestamp() WHERE account_id = :account"),
            {"account": teller.account},
        )
    with pytest.raises(ReservationExpired):
        await waiting
    assert await teller.available() == 10


OPEN_A_MONTH = """
    INSERT INTO lot
        (account_id, id, source, granted, held, spent, priority, starts_at, expires_at, created_at)
    SELECT id, gen_random_uuid(), 'allocation', 20, 0, 0, 20, anchor, anchor + interval '28 days', anchor
    FROM account WHERE id = :account
"""
END_IT = "UPDATE account SET period_end = anchor + interval '28 days' WHERE id = :account"


async def test_whoever_reads_while_a_month_opens_counts_it_once(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, plan=a_plan(monthly=20))
    async with postgres.engine.begin() as opening:
        await opening.execute(sa.text("LOCK TABLE lot IN ACCESS EXCLUSIVE MODE"))
        reading = asyncio.create_task(teller.available())
        await until_it_blocks(opening)
        for statement in (OPEN_A_MONTH, END_IT):
            await opening.execute(sa.text(statement), {"account": teller.account})
    assert await reading == 20
