"""A reservation ends once, and what it cost is charged exactly."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import ReservationId
from domain.usage.errors import ReservationExpired, ReservationMissing, ReservationSettled
from domain.usage.lot import Source
from domain.usage.reservation import State
from domain.usage.settle import Commit
from domain.usage.terms import Terms
from tests.fakes.clock import NOON
from tests.fakes.desks import PLAN, RATES, Till, tokens

QUARTER = timedelta(minutes=15)
TICK = timedelta(microseconds=1)


def till_with(*granted: int, overdraft: int = 0) -> Till:
    till = Till(Terms(plan=PLAN, rates=RATES, overdraft=overdraft))
    for each in granted:
        till.lot(each)
    return till


def test_what_was_used_is_charged_and_the_rest_given_back() -> None:
    till = till_with(10)
    (lot,) = till.desk.lots
    id = till.hold(6)
    answer = till.do(
        Commit(account=till.desk.account.id, reservation=id, usage=tokens(4), model="gpt", latency_ms=120)
    )
    it = answer.settlement
    assert not answer.replayed
    assert (it.usage, it.model, it.latency_ms, it.at) == (tokens(4), "gpt", 120, NOON)
    assert (it.cost, it.charged, it.uncollected, it.charges, it.available) == (4, 4, 0, ((lot, 4),), 6)
    assert (answer.reservation.state, answer.reservation.held) == (State.COMMITTED, 0)
    assert answer.reservation.settlement == it
    assert till.figures(lot) == (6, 0, 4)


def test_a_charge_is_recorded_with_all_that_explains_it() -> None:
    till = till_with(10)
    id = till.hold(6)
    till.pass_by(timedelta(minutes=1))
    settlement = till.commit(id, 4, model="gpt").settlement
    (record,) = till.desk.records
    reservation = till.desk.reservations[id]
    assert (record.account, record.id, record.recorded_at) == (reservation.account, id, settlement.at)
    assert (record.key, record.feature, record.rate) == (None, "call", reservation.rate)
    assert (record.usage, record.model, record.latency_ms) == (tokens(4), "gpt", None)
    assert (record.cost, record.charged, record.uncollected) == (4, 4, 0)
    assert (record.charges, record.test) == (settlement.charges, False)


def test_the_lots_that_were_held_first_pay_first() -> None:
    till = till_with(3, 3, 3)
    first, second, third = till.desk.lots
    id = till.hold(8)
    assert till.commit(id, 5).settlement.charges == ((first, 3), (second, 2))
    assert [till.figures(each) for each in (first, second, third)] == [(0, 0, 3), (1, 0, 2), (3, 0, 0)]


def test_a_call_that_used_nothing_is_charged_nothing() -> None:
    till = till_with(10)
    assert till.commit(till.hold(6), 0).settlement.charges == ()
    assert (till.free(), till.desk.records[0].charged) == (10, 0)


def test_more_than_was_held_is_taken_from_what_is_free() -> None:
    till = till_with(4, 4)
    first, second = till.desk.lots
    settlement = till.commit(till.hold(2), 7).settlement
    assert settlement.charges == ((first, 2), (first, 2), (second, 3))
    assert (settlement.charged, settlement.uncollected, settlement.available) == (7, 0, 1)
    assert (till.figures(first), till.figures(second)) == ((0, 0, 4), (1, 0, 3))


def test_what_others_hold_is_not_taken() -> None:
    till = till_with(10)
    other = till.hold(6)
    settlement = till.commit(till.hold(2), 7).settlement
    assert (settlement.charged, settlement.uncollected, settlement.available) == (4, 3, 0)
    assert till.desk.reservations[other].held == 6
    assert till.desk.records[0].uncollected == 3


def test_what_is_not_free_is_uncollected_and_nothing_goes_below_zero() -> None:
    till = till_with(5)
    (lot,) = till.desk.lots
    settlement = till.commit(till.hold(5), 9).settlement
    assert (settlement.cost, settlement.charged, settlement.uncollected) == (9, 5, 4)
    assert till.figures(lot) == (0, 0, 5)


def test_an_overdraft_lends_what_is_not_free() -> None:
    till = till_with(5, overdraft=6)
    settlement = till.commit(till.hold(5), 9).settlement
    assert (settlement.charged, settlement.uncollected, settlement.available) == (9, 0, 0)
    lent = next(lot for lot in till.desk.lots.values() if lot.source is Source.OVERDRAFT)
    assert settlement.charges[-1] == (lent.id, 4)
    settlement = till.commit(till.hold(0), 9).settlement
    assert (settlement.charged, settlement.uncollected) == (2, 7)
    assert till.figures(lent.id) == (0, 0, 6)


def test_a_hold_of_a_lot_that_expired_meanwhile_still_pays() -> None:
    till = Till()
    lot = till.lot(10, expires_at=NOON + timedelta(minutes=5))
    id = till.hold(6)
    till.pass_by(timedelta(minutes=10))
    settlement = till.commit(id, 8).settlement
    assert (settlement.charged, settlement.uncollected, settlement.available) == (6, 2, 0)
    assert till.figures(lot) == (4, 0, 6)


def test_a_test_call_costs_what_it_would_and_pays_nothing() -> None:
    till = till_with(10, overdraft=5)
    settlement = till.commit(till.hold(6, test=True), 8).settlement
    assert (settlement.cost, settlement.charged, settlement.uncollected) == (8, 0, 0)
    assert till.free() == 10
    (record,) = till.desk.records
    assert (record.test, record.cost, record.charged, record.charges) == (True, 8, 0, ())


@given(
    granted=st.lists(st.integers(1, 6), max_size=4),
    hold=st.integers(0, 10),
    cost=st.integers(0, 30),
    overdraft=st.integers(0, 5),
)
def test_every_microcredit_of_a_cost_is_charged_or_uncollected(
    granted: list[int], hold: int, cost: int, overdraft: int
) -> None:
    till = till_with(*granted, overdraft=overdraft)
    id = till.hold(min(hold, sum(granted)))
    settlement = till.commit(id, cost).settlement
    assert settlement.charged == min(cost, sum(granted) + overdraft)
    assert settlement.charged + settlement.uncollected == cost
    assert settlement.available == till.free() == max(0, sum(granted) - cost)
    assert sum(lot.spent for lot in till.desk.lots.values()) == settlement.charged
    assert sum(lot.held for lot in till.desk.lots.values()) == 0


def test_the_same_commit_again_gets_the_same_answer_and_charges_once() -> None:
    till = till_with(10)
    id = till.hold(6)
    first = till.commit(id, 4, model="gpt")
    till.pass_by(timedelta(days=2))
    again = till.commit(id, 4, model="gpt")
    assert again.replayed
    assert (again.reservation, again.settlement) == (first.reservation, first.settlement)
    assert (till.free(), len(till.desk.records)) == (6, 1)


@pytest.mark.parametrize(
    ("usage", "model", "latency"), [(5, "gpt", None), (4, "other", None), (4, None, None), (4, "gpt", 1)]
)
def test_another_commit_is_a_conflict(usage: int, model: str | None, latency: int | None) -> None:
    till = till_with(10)
    id = till.hold(6)
    till.commit(id, 4, model="gpt")
    account = till.desk.account.id
    other = Commit(account=account, reservation=id, usage=tokens(usage), model=model, latency_ms=latency)
    with pytest.raises(ReservationSettled) as refusal:
        till.do(other)
    assert (refusal.value.state, refusal.value.settled_at) == ("committed", NOON)
    assert str(refusal.value) == "the reservation was committed before, and not as now asked"
    assert till.free() == 6


def test_a_release_gives_everything_back_and_again_says_so() -> None:
    till = till_with(3, 3)
    id = till.hold(5)
    first = till.release(id)
    assert (first.reservation.state, first.reservation.held) == (State.RELEASED, 0)
    assert (first.settlement.charged, first.settlement.available, first.settlement.at) == (0, 6, NOON)
    till.hold(1)
    again = till.release(id)
    assert (again.replayed, again.settlement) == (True, first.settlement)
    assert (first.replayed, till.free(), till.desk.records) == (False, 5, [])


def test_commit_and_release_exclude_each_other() -> None:
    till = till_with(10)
    committed, released = till.hold(2), till.hold(2)
    till.commit(committed, 2)
    till.release(released)
    with pytest.raises(ReservationSettled):
        till.release(committed)
    with pytest.raises(ReservationSettled):
        till.commit(released, 2)
    assert till.free() == 8


def test_a_start_is_noted_once() -> None:
    till = till_with(10)
    id = till.hold(2)
    till.pass_by(TICK)
    till.start(id)
    started = till.desk.reservations[id]
    assert (started.state, started.started_at) == (State.STARTED, NOON + TICK)
    till.pass_by(TICK)
    till.desk.changed_reservations.clear()
    till.start(id)
    assert till.desk.reservations[id] == started
    assert not till.desk.changed_reservations


@pytest.mark.parametrize("started", [False, True])
def test_up_to_its_deadline_it_can_be_settled_and_then_no_more(*, started: bool) -> None:
    till = till_with(10)
    in_time, late = till.hold(2), till.hold(2)
    if started:
        till.start(in_time)
        till.start(late)
    till.pass_by(QUARTER - TICK)
    till.commit(in_time, 2)
    till.pass_by(TICK)
    with pytest.raises(ReservationExpired) as refusal:
        till.commit(late, 2)
    assert refusal.value.expired_at == NOON + QUARTER
    assert "extend a long call" in str(refusal.value)
    with pytest.raises(ReservationExpired):
        till.release(late)
    with pytest.raises(ReservationExpired):
        till.start(late)
    assert till.free() == 8


def test_a_settled_call_cannot_be_started() -> None:
    till = till_with(10)
    id = till.hold(2)
    till.release(id)
    with pytest.raises(ReservationSettled):
        till.start(id)


def test_a_frozen_workspace_settles_what_it_holds() -> None:
    till = till_with(10)
    committed, released = till.hold(2), till.hold(2)
    till.freeze()
    till.start(committed)
    till.commit(committed, 2)
    till.release(released)
    assert till.free() == 8


@pytest.mark.parametrize(
    "settle",
    [Till.start, Till.release, lambda till, id: till.commit(id, 1)],
    ids=["start", "release", "commit"],
)
def test_what_is_not_there_is_missing(settle: Callable[[Till, ReservationId], object]) -> None:
    till = till_with(10)
    with pytest.raises(ReservationMissing) as refusal:
        settle(till, ReservationId(till.new_id()))
    assert str(refusal.value) == "there is no such reservation"
