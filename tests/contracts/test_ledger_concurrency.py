"""However many ask at once, nothing is spent twice."""

import asyncio
from collections import Counter
from collections.abc import Awaitable

from domain.usage.errors import InsufficientCredits, ReservationSettled
from domain.usage.reservation import State
from domain.usage.reserve import Fit
from tests.contracts.banks import Bank
from tests.contracts.tellers import Teller, a_teller


async def outcomes(attempts: list[Awaitable[object]]) -> Counter[type]:
    """How often each kind of answer was given to all of them at once."""
    return Counter(type(each) for each in await asyncio.gather(*attempts, return_exceptions=True))


async def test_400_reserves_where_100_fit_give_exactly_100(bank: Bank) -> None:
    teller = await a_teller(bank, 100)
    given = await outcomes([teller.reserve(1) for _ in range(400)])
    assert given[InsufficientCredits] == 300
    assert given.total() == 400
    books = await bank.books(teller.account)
    assert (books.held, books.spent, len(books.reservations)) == (100, 0, 100)
    assert await teller.available() == 0


async def test_what_is_left_after_a_rush_is_the_sum_of_what_was_refused(bank: Bank) -> None:
    teller = await a_teller(bank, 100)
    answers = await asyncio.gather(
        *(teller.reserve(count) for count in (7, 11, 13, 17, 19) * 4), return_exceptions=True
    )
    held = sum(each.reservation.held for each in answers if not isinstance(each, BaseException))
    assert await teller.available() == 100 - held < 19


async def test_one_request_50_times_at_once_is_one_reservation_and_50_equal_answers(bank: Bank) -> None:
    teller = await a_teller(bank, 100)
    answers = await asyncio.gather(*(teller.reserve(3, request="order 1") for _ in range(50)))
    assert Counter(each.replayed for each in answers) == {False: 1, True: 49}
    assert len({each.reservation.id for each in answers}) == 1
    assert all(each.reservation == answers[0].reservation for each in answers)
    assert (await bank.books(teller.account)).held == 3


async def test_twins_with_another_fingerprint_are_refused_and_the_first_stands(bank: Bank) -> None:
    teller = await a_teller(bank, 100)
    orders = [teller.order(3, request="order 1", fingerprint=f"{each % 2}") for each in range(50)]
    answers = await asyncio.gather(*map(bank.ledger.execute, orders), return_exceptions=True)
    accepted = [each for each in answers if not isinstance(each, BaseException)]
    assert len(accepted) == 25
    assert len({each.reservation.fingerprint for each in accepted}) == 1
    assert (await bank.books(teller.account)).held == 3


async def test_two_commits_at_once_charge_once(bank: Bank) -> None:
    await commit_at_once(bank, 2)


async def test_50_commits_at_once_charge_once(bank: Bank) -> None:
    await commit_at_once(bank, 50)


async def commit_at_once(bank: Bank, times: int) -> None:
    teller = await a_teller(bank, 100)
    id = await teller.hold(10)
    answers = await asyncio.gather(*(teller.commit(id, 7) for _ in range(times)))
    assert Counter(each.replayed for each in answers) == {False: 1, True: times - 1}
    assert all(each.settlement == answers[0].settlement for each in answers)
    assert (await bank.books(teller.account)).spent == 7
    assert len((await bank.books(teller.account)).records) == 1


async def test_of_different_settlements_at_once_one_holds(bank: Bank) -> None:
    teller = await a_teller(bank, 100)
    id = await teller.hold(10)
    given = await outcomes([*(teller.commit(id, count) for count in range(1, 10)), teller.release(id)])
    assert given[ReservationSettled] == 9
    assert (await bank.reader.reservation(teller.account, id)).state in {State.COMMITTED, State.RELEASED}


async def test_whatever_is_settled_at_once_is_there_for_the_next(bank: Bank) -> None:
    teller = await a_teller(bank, 30)

    async def call(_: int) -> int:
        while True:
            try:
                id = await teller.hold(3)
            except InsufficientCredits:
                await asyncio.sleep(0)
                continue
            await teller.start(id)
            return (await teller.commit(id, 1)).settlement.charged

    assert sum(await asyncio.gather(*map(call, range(25)))) == 25
    assert await teller.available() == 5


async def test_grants_and_reserves_at_once_lose_nothing(bank: Bank) -> None:
    teller = await a_teller(bank)
    await outcomes([each for _ in range(30) for each in (teller.grant(2), teller.reserve(1))])
    books = await bank.books(teller.account)
    assert sum(lot.granted for lot in books.lots.values()) == 60
    assert await teller.available() == 60 - books.held


async def test_one_reference_granted_20_times_at_once_is_one_grant(bank: Bank) -> None:
    teller = await a_teller(bank)
    answers = await asyncio.gather(*(teller.grant(5, reference="invoice 7") for _ in range(20)))
    assert len({each.lot.id for each in answers}) == 1
    assert await teller.available() == 5


async def test_clamped_holds_at_once_share_what_there_is(bank: Bank) -> None:
    teller = await a_teller(bank, 100)
    orders = [teller.order(30, fit=Fit.CLAMP) for _ in range(10)]
    answers = await asyncio.gather(*map(bank.ledger.execute, orders), return_exceptions=True)
    held = [each.reservation.held for each in answers if not isinstance(each, BaseException)]
    assert held == [30, 30, 30, 10]


async def test_accounts_at_once_do_not_mix(bank: Bank) -> None:
    tellers = [await a_teller(bank, count) for count in range(1, 9)]

    async def rush(teller: Teller) -> int:
        given = await outcomes([teller.reserve(1) for _ in range(12)])
        return given.total() - given[InsufficientCredits]

    assert await asyncio.gather(*map(rush, tellers)) == list(range(1, 9))
