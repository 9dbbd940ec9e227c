"""Accounts with holds that ran out are found, and what becomes of these is recorded."""

import asyncio
from datetime import timedelta

from application.usage.tidy import TidyReservations
from domain.ids import AccountId
from tests.contracts.banks import SURE, Bank
from tests.contracts.tellers import a_teller

HOUR = timedelta(hours=1)


async def overdue(bank: Bank, *, limit: int = 100, after: AccountId | None = None) -> list[AccountId]:
    found = list[AccountId]()
    while page := await bank.holds.accounts(after=found[-1] if found else after, limit=limit):
        found += page
    return [each for each in found if each in bank.accounts]


async def test_accounts_are_found_whose_holds_ran_out(bank: Bank) -> None:
    late, second, early, settled, parked = [await a_teller(bank, 10) for _ in range(5)]
    for teller in (late, late, second, parked):
        await teller.hold(1)
    await settled.commit(await settled.hold(1), 1)
    for teller in (late, second, settled, parked):
        await bank.pass_by(teller.account, HOUR)
    await early.hold(1)
    await bank.park(parked.account)
    for limit in (1, 100):
        assert await overdue(bank, limit=limit) == sorted([late.account, second.account])
    first = min(late.account, second.account)
    assert first not in await overdue(bank, after=first)


async def test_what_becomes_of_them_is_decided_as_ever(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    refunded, charged = await teller.hold(2), await teller.hold(3, feature=SURE)
    await teller.start(charged)
    await bank.pass_by(teller.account, HOUR)
    tidy = TidyReservations(bank.holds, bank.ledger)
    done = await asyncio.gather(*(tidy() for _ in range(3)))
    assert [each["failed"] for each in done] == [0, 0, 0]
    books = await bank.books(teller.account)
    assert {each.id: each.state for each in books.reservations} == {refunded: "expired", charged: "expired"}
    assert [(each.id, each.charged) for each in books.records] == [(charged, 3)]
    assert (books.held, books.spent) == (0, 3)
    assert await overdue(bank) == []
