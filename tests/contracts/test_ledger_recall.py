"""What was reserved before is found again, whatever the limits say by then."""

import asyncio

import pytest

from application.usage.reserve import Recall
from domain.usage.errors import AccountParked, RequestKeyReused, WorkspaceFrozen
from domain.usage.limits import Limit, RateLimited, Standing
from tests.contracts.banks import Bank
from tests.contracts.tellers import Teller, a_teller

REFUSAL = RateLimited.of((Standing(Limit("minute", 1, 60), remaining=0, reset=60),))


def recall(teller: Teller, request: str, *, fingerprint: str = "same") -> Recall:
    return Recall(teller.order(4, request=request, fingerprint=fingerprint), REFUSAL)


async def test_the_first_answer_is_given_again(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    first = await teller.reserve(4, request="a")
    again = await bank.ledger.execute(recall(teller, "a"))
    assert (again.replayed, again.reservation) == (True, first.reservation)


async def test_also_of_one_that_came_just_before(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    first, again = await asyncio.gather(
        teller.reserve(4, request="a"), bank.ledger.execute(recall(teller, "a"))
    )
    assert (again.replayed, again.reservation.id) == (True, first.reservation.id)


async def test_what_was_never_reserved_is_refused_and_holds_nothing(bank: Bank) -> None:
    teller, other = await a_teller(bank, 10), await a_teller(bank, 10)
    await other.reserve(4, request="a")
    with pytest.raises(RateLimited):
        await bank.ledger.execute(recall(teller, "a"))
    assert (await bank.books(teller.account)).reservations == []


async def test_a_frozen_workspace_is_told_that_rather_than_to_wait(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    first = await teller.reserve(4, request="a")
    await bank.freeze(teller.account)
    with pytest.raises(WorkspaceFrozen):
        await bank.ledger.execute(recall(teller, "b"))
    assert (await bank.ledger.execute(recall(teller, "a"))).reservation == first.reservation


async def test_a_parked_account_is_told_that_rather_than_to_wait(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    await bank.park(teller.account)
    with pytest.raises(AccountParked):
        await bank.ledger.execute(recall(teller, "b"))


async def test_another_request_with_the_same_key_is_told_so(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    await teller.reserve(4, request="a")
    with pytest.raises(RequestKeyReused):
        await bank.ledger.execute(recall(teller, "a", fingerprint="other"))
