"""Every ledger keeps this contract: held, charged and given back exactly."""

from datetime import timedelta

import pytest

from domain.ids import AccountId, KeyId, ReservationId
from domain.usage.errors import (
    AccountMissing,
    AccountParked,
    FeatureNotInPlan,
    GrantReferenceReused,
    InsufficientCredits,
    RequestKeyReused,
    ReservationMissing,
    ReservationSettled,
    WorkspaceFrozen,
)
from domain.usage.lot import Source
from domain.usage.reservation import State
from domain.usage.reserve import Fit
from domain.usage.settle import Commit
from tests.contracts.banks import ODD, Bank, a_plan
from tests.contracts.tellers import Teller, a_teller, tokens

HOUR = timedelta(hours=1)


async def test_what_is_held_and_charged_is_written_down(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    id = await teller.hold(6)
    books = await bank.books(teller.account)
    assert (books.held, books.spent) == (6, 0)
    await teller.commit(id, 4)
    books = await bank.books(teller.account)
    assert (books.held, books.spent) == (0, 4)
    assert await teller.available() == 6


async def test_a_reservation_is_read_as_it_was_answered(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    key = KeyId(bank.new_id())
    answer = (await bank.ledger.execute(teller.order(3, key=key))).reservation
    assert await bank.reader.reservation(teller.account, answer.id) == answer
    started = await teller.start(answer.id)
    assert started.state is State.STARTED
    assert await bank.reader.reservation(teller.account, answer.id) == started
    extended = (await teller.extend(answer.id, 5, expires_in=HOUR)).reservation
    assert await bank.reader.reservation(teller.account, answer.id) == extended
    settled = (await teller.commit(answer.id, 4, model="gpt")).reservation
    assert await bank.reader.reservation(teller.account, answer.id) == settled


async def test_a_refusal_says_what_is_needed_and_changes_nothing(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    with pytest.raises(InsufficientCredits) as refusal:
        await teller.hold(11)
    assert (refusal.value.needed, refusal.value.available) == (11, 10)
    books = await bank.books(teller.account)
    assert (books.held, books.spent, books.reservations) == (0, 0, [])


async def test_fractions_are_rounded_up_once_in_holds_and_in_charges(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    reserved = await bank.ledger.execute(teller.order(4, feature=ODD))
    assert reserved.reservation.held == 3
    assert (await teller.commit(reserved.reservation.id, 10)).settlement.charged == 7


async def test_a_clamped_hold_says_how_far_it_goes(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    opening = (await bank.ledger.execute(teller.order(100, feature=ODD, fit=Fit.CLAMP))).reservation.opening
    assert (opening.held, opening.output_tokens, opening.available) == (10, 14, 0)


async def test_a_test_call_goes_through_everything_and_pays_nothing(bank: Bank) -> None:
    teller = await a_teller(bank, 1)
    id = await teller.hold(50, test=True)
    await teller.start(id)
    settled = await teller.commit(id, 40)
    assert (settled.settlement.cost, settled.settlement.charged, settled.settlement.available) == (40, 0, 1)
    (record,) = (await bank.books(teller.account)).records
    assert (record.test, record.charged) == (True, 0)


async def test_credits_burn_in_order(bank: Bank) -> None:
    teller = await a_teller(bank)
    now = await bank.now()
    bought = (await teller.grant(5)).lot.id
    later = (await teller.grant(5, source=Source.PROMOTION, expires_at=now + 2 * HOUR)).lot.id
    sooner = (await teller.grant(5, source=Source.PROMOTION, expires_at=now + HOUR)).lot.id
    first = (await teller.grant(5, priority=1)).lot.id
    assert [lot.id for lot in (await teller.balance()).lots] == [first, sooner, later, bought]
    await teller.commit(await teller.hold(17), 17)
    books = await bank.books(teller.account)
    assert [books.lots[id].spent for id in (first, sooner, later, bought)] == [5, 5, 5, 2]


async def test_more_than_was_held_comes_from_what_is_free_and_then_from_nowhere(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    other = await teller.hold(5)
    settlement = (await teller.commit(await teller.hold(2), 9)).settlement
    assert (settlement.charged, settlement.uncollected, settlement.available) == (5, 4, 0)
    (record,) = (await bank.books(teller.account)).records
    assert (record.cost, record.charged, record.uncollected) == (9, 5, 4)
    await teller.release(other)
    assert await teller.available() == 5


async def test_a_plan_may_lend_and_the_next_grant_pays_back(bank: Bank) -> None:
    teller = await a_teller(bank, 4, plan=a_plan(overdraft=6))
    settlement = (await teller.commit(await teller.hold(4), 9)).settlement
    assert (settlement.charged, settlement.uncollected) == (9, 0)
    assert (await teller.commit(await teller.hold(0), 3)).settlement.uncollected == 2
    balance = await teller.balance()
    assert (balance.available, balance.overdrawn) == (0, 6)
    with pytest.raises(InsufficientCredits):
        await teller.hold(1)
    assert (await teller.grant(4)).available == 0
    granted = await teller.grant(5)
    assert (granted.available, granted.lot.spent, (await teller.balance()).overdrawn) == (3, 2, 0)
    assert sum(each.amount for each in (await bank.books(teller.account)).repayments) == 6
    assert (await teller.commit(await teller.hold(3), 8)).settlement.uncollected == 0


async def test_a_grant_while_holds_are_open_adds_to_what_is_free(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    id = await teller.hold(10)
    assert (await teller.grant(5)).available == 5
    assert (await teller.extend(id, 13)).available == 2
    settlement = (await teller.commit(id, 14)).settlement
    assert (settlement.charged, settlement.uncollected, settlement.available) == (14, 0, 1)


async def test_a_grant_is_made_once_for_its_reference(bank: Bank) -> None:
    teller = await a_teller(bank)
    first = await teller.grant(10, reference="invoice 7")
    await teller.commit(await teller.hold(10), 10)
    again = await teller.grant(10, reference="invoice 7")
    assert (again.replayed, again.lot.id, again.available) == (True, first.lot.id, 0)
    with pytest.raises(GrantReferenceReused):
        await teller.grant(11, reference="invoice 7")


async def test_an_extension_is_all_or_nothing(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    id = await teller.hold(4)
    before = await bank.reader.reservation(teller.account, id)
    with pytest.raises(InsufficientCredits):
        await teller.extend(id, 11, expires_in=HOUR)
    assert await bank.reader.reservation(teller.account, id) == before
    assert (await teller.extend(id, 10)).available == 0
    assert (await teller.extend(id, 10)).available == 0


async def test_a_repeated_reserve_gets_the_first_answer(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    first = await teller.reserve(4, request="order 1")
    again = await teller.reserve(4, request="order 1")
    assert (again.replayed, again.reservation) == (True, first.reservation)
    with pytest.raises(RequestKeyReused):
        await bank.ledger.execute(teller.order(4, request="order 1", fingerprint="other"))
    await teller.commit(first.reservation.id, 4)
    later = await teller.reserve(4, request="order 1")
    assert (later.replayed, later.reservation.opening) == (True, first.reservation.opening)
    assert await teller.available() == 6


async def test_the_same_request_key_of_two_accounts_is_two_requests(bank: Bank) -> None:
    one, other = await a_teller(bank, 10), await a_teller(bank, 10)
    first = await one.reserve(4, request="order 1")
    second = await other.reserve(4, request="order 1")
    assert not second.replayed
    assert first.reservation.id != second.reservation.id


async def test_a_repeated_settlement_gets_the_first_answer_and_another_one_a_conflict(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    committed, released = await teller.hold(2), await teller.hold(2)
    commit, release = await teller.commit(committed, 2), await teller.release(released)
    again = await teller.commit(committed, 2)
    assert (again.replayed, again.settlement) == (True, commit.settlement)
    assert (await teller.release(released)).settlement == release.settlement
    for settle in (
        teller.commit(committed, 3),
        teller.commit(committed, 2, model="gpt"),
        teller.release(committed),
        teller.commit(released, 2),
        teller.extend(released, 5),
        teller.start(released),
    ):
        with pytest.raises(ReservationSettled):
            await settle
    assert await teller.available() == 8


async def test_a_frozen_workspace_spends_nothing_new_and_settles_what_it_holds(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    held, other = await teller.hold(4), await teller.hold(1)
    await bank.freeze(teller.account)
    with pytest.raises(WorkspaceFrozen):
        await teller.hold(1)
    with pytest.raises(WorkspaceFrozen):
        await teller.extend(held, 5)
    assert (await teller.balance()).account.frozen
    await teller.start(held)
    await teller.commit(held, 3)
    await teller.release(other)
    await bank.freeze(teller.account, frozen=False)
    assert (await teller.reserve(7)).reservation.opening.available == 0


async def test_a_parked_account_spends_nothing_new_and_settles_what_it_holds(bank: Bank) -> None:
    teller, other = await a_teller(bank, 10), await a_teller(bank, 10)
    held, second = await teller.hold(4), await teller.hold(1)
    first = await teller.reserve(2, request="a")
    await bank.park(teller.account)
    for test in (False, True):
        with pytest.raises(AccountParked):
            await teller.hold(1, test=test)
    with pytest.raises(AccountParked):
        await teller.extend(held, 5)
    assert (await teller.reserve(2, request="a")).reservation == first.reservation
    assert (await teller.balance()).account.parked
    await teller.start(held)
    await teller.commit(held, 3)
    await teller.release(second)
    await other.commit(await other.hold(4), 4)


async def test_a_feature_that_the_plan_lacks_is_refused(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    with pytest.raises(FeatureNotInPlan):
        await teller.hold(1, feature="other")


async def test_a_reservation_of_another_account_is_missing(bank: Bank) -> None:
    owner, stranger = await a_teller(bank, 10), await a_teller(bank, 10)
    id = await owner.hold(4)
    for attempt in (stranger.start(id), stranger.commit(id, 1), stranger.release(id), stranger.extend(id, 5)):
        with pytest.raises(ReservationMissing):
            await attempt
    with pytest.raises(ReservationMissing):
        await bank.reader.reservation(stranger.account, id)
    assert (await bank.reader.reservation(owner.account, id)).state is State.HELD


async def test_what_does_not_exist_is_missing(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    with pytest.raises(ReservationMissing):
        await teller.commit(ReservationId(bank.new_id()), 1)
    nobody = Teller(bank, AccountId(bank.new_id()))
    id = ReservationId(bank.new_id())
    for attempt in (nobody.reserve(1), nobody.grant(1)):
        with pytest.raises(AccountMissing):
            await attempt
    for about in (nobody.start(id), nobody.commit(id, 1), nobody.release(id), nobody.extend(id, 1)):
        with pytest.raises(ReservationMissing):
            await about


async def test_a_charge_of_no_tokens_is_a_charge_of_nothing(bank: Bank) -> None:
    teller = await a_teller(bank)
    command = Commit(account=teller.account, reservation=await teller.hold(0), usage=tokens(0), latency_ms=3)
    assert (await bank.ledger.execute(command)).settlement.charged == 0
    assert len((await bank.books(teller.account)).records) == 1
