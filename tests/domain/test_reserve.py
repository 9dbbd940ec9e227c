"""What a call may cost is held, once for one request."""

from datetime import timedelta

import pytest

from domain.credits import MICRO, ONE, Price, Quantity
from domain.ids import KeyId, ReservationId
from domain.usage.errors import (
    FeatureNotInPlan,
    InsufficientCredits,
    RequestKeyReused,
    ReservationExpired,
    ReservationMissing,
    ReservationSettled,
    WorkspaceFrozen,
)
from domain.usage.reservation import LONGEST, State
from domain.usage.reserve import Extend, Fit
from domain.usage.terms import Terms
from tests.fakes.clock import NOON
from tests.fakes.desks import CALL, PLAN, RATES, Till, a_rate, tokens

QUARTER = timedelta(minutes=15)
DEAR = a_rate(Price(per_call=3 * MICRO, per_output_token=2 * MICRO))
"""Three microcredits for a call, two for a token."""


def till_with(*granted: int) -> Till:
    till = Till(Terms(plan=PLAN, rates={**RATES, "dear": DEAR, "gift": a_rate(Price())}))
    for each in granted:
        till.lot(each)
    return till


def test_it_holds_the_most_that_the_call_may_cost() -> None:
    till = till_with(10)
    key = KeyId(till.new_id())
    order = till.order(tokens(2), feature="dear", key=key)
    answer = till.do(order)
    assert not answer.replayed
    it = answer.reservation
    assert (it.id, it.account, it.request) == (order.id, till.desk.account.id, order.request)
    assert (it.key, it.feature, it.rate, it.test) == (key, "dear", DEAR, False)
    assert (it.state, it.held, it.estimate) == (State.HELD, 7, tokens(2))
    assert (it.created_at, it.expires_at, it.started_at, it.settlement) == (NOON, NOON + QUARTER, None, None)
    assert till.free() == 3
    assert till.desk.new_reservations == {it.id}


def test_the_answer_says_what_is_left_and_how_far_it_goes() -> None:
    till = till_with(30)
    opening = till.do(till.order(tokens(2), feature="dear")).reservation.opening
    assert (opening.held, opening.available, opening.calls, opening.output_tokens) == (7, 23, 3, 2)
    assert opening.expires_at == NOON + QUARTER


def test_calls_that_cost_nothing_are_not_counted() -> None:
    opening = till_with().reserve(2, feature="gift").reservation.opening
    assert (opening.held, opening.available, opening.calls) == (0, 0, None)


def test_a_hold_may_lie_on_several_lots() -> None:
    till = till_with(4, 4, 4)
    first, second, third = till.desk.lots
    assert till.reserve(9).reservation.holds == ((first, 4), (second, 4), (third, 1))
    assert [till.figures(each) for each in (first, second, third)] == [(0, 4, 0), (0, 4, 0), (3, 1, 0)]


def test_the_last_microcredit_can_be_reserved_and_no_more() -> None:
    till = till_with(10)
    till.hold(10)
    with pytest.raises(InsufficientCredits) as refusal:
        till.hold(1)
    assert (refusal.value.needed, refusal.value.available) == (1, 0)
    assert str(refusal.value) == "the call may cost 0.000001 credits, and 0 are available"
    till.hold(0)


def test_what_is_refused_leaves_no_trace() -> None:
    till = till_with(10)
    with pytest.raises(InsufficientCredits):
        till.hold(11)
    assert not till.desk.changed_lots
    assert not till.desk.reservations
    assert not till.desk.changed_reservations


def test_the_multiplier_of_the_plan_counts() -> None:
    till = Till(Terms(plan=PLAN, rates={CALL: a_rate(multiplier=ONE // 4)}))
    till.lot(10)
    assert till.reserve(9).reservation.held == 3


def test_a_frozen_workspace_reserves_nothing() -> None:
    till = till_with(10)
    till.freeze()
    with pytest.raises(WorkspaceFrozen) as refusal:
        till.hold(1)
    assert str(refusal.value) == "the workspace is frozen: it can read, but not spend"
    with pytest.raises(WorkspaceFrozen):
        till.hold(1, test=True)


def test_a_feature_that_the_plan_lacks_is_refused() -> None:
    with pytest.raises(FeatureNotInPlan) as refusal:
        till_with(10).reserve(1, feature="other")
    assert (refusal.value.feature, refusal.value.plan) == ("other", str(PLAN))
    assert str(refusal.value) == "the plan api/team@1 does not hold the feature 'other'"


def test_a_test_call_holds_nothing_and_is_never_refused_for_want_of_credits() -> None:
    till = till_with(1)
    it = till.reserve(10, test=True).reservation
    assert (it.test, it.held, it.holds, it.estimate) == (True, 0, (), tokens(10))
    assert till.free() == 1


@pytest.mark.parametrize("wrong", [timedelta(0), timedelta(seconds=-1), LONGEST + timedelta(microseconds=1)])
def test_a_deadline_is_within_a_day(wrong: timedelta) -> None:
    till = till_with(10)
    with pytest.raises(ValueError, match="a reservation for"):
        till.order(tokens(1), expires_in=wrong)
    assert till.do(till.order(tokens(1), expires_in=LONGEST)).reservation.expires_at == NOON + LONGEST


@pytest.mark.parametrize(("free", "tokens_held", "held"), [(5, 1, 5), (6, 1, 5), (8, 2, 7), (22, 9, 21)])
def test_a_clamped_call_holds_what_is_affordable(free: int, tokens_held: int, held: int) -> None:
    till = till_with(free)
    it = till.do(till.order(tokens(10), feature="dear", fit=Fit.CLAMP)).reservation
    assert (it.estimate, it.held) == (tokens(tokens_held), held)
    assert (it.opening.held, it.opening.output_tokens) == (held, tokens_held)
    assert (it.opening.available, it.opening.calls) == (free - held, 0)


@pytest.mark.parametrize("free", [0, 2, 3, 4])
def test_a_clamped_call_gets_one_token_at_least_or_none_of_it(free: int) -> None:
    till = till_with(free)
    with pytest.raises(InsufficientCredits) as refusal:
        till.do(till.order(tokens(10), feature="dear", fit=Fit.CLAMP))
    assert (refusal.value.needed, refusal.value.available) == (23, free)


def test_what_is_affordable_is_not_clamped() -> None:
    till = till_with(23)
    it = till.do(till.order(tokens(10), feature="dear", fit=Fit.CLAMP)).reservation
    assert (it.estimate, it.held) == (tokens(10), 23)


def test_clamping_takes_away_output_tokens_only() -> None:
    rates = {CALL: a_rate(Price(per_input_token=MICRO, per_output_token=MICRO, per_unit=MICRO))}
    till = Till(Terms(plan=PLAN, rates=rates))
    till.lot(10)
    asked = Quantity(input_tokens=3, output_tokens=9, units=2)
    it = till.do(till.order(asked, fit=Fit.CLAMP)).reservation
    assert it.estimate == Quantity(input_tokens=3, output_tokens=5, units=2)


def test_a_repeat_gets_the_first_answer_and_holds_nothing_more() -> None:
    till = till_with(10)
    first = till.do(till.order(tokens(4), request="a"))
    again = till.do(till.order(tokens(4), request="a"))
    assert again.replayed
    assert again.reservation == first.reservation
    assert till.free() == 6


def test_the_same_command_sent_again_is_no_repeat_but_gets_its_own_answer() -> None:
    till = till_with(10)
    order = till.order(tokens(4))
    first = till.do(order)
    assert till.do(order) == first
    assert (first.replayed, till.free()) == (False, 6)


@pytest.mark.parametrize("end", ["commit", "release", "expiry", "freeze"])
def test_a_repeat_gets_the_same_opening_whatever_happened_since(end: str) -> None:
    till = till_with(10)
    first = till.do(till.order(tokens(4), request="a")).reservation
    if end == "commit":
        till.commit(first.id, 2)
    elif end == "release":
        till.release(first.id)
    elif end == "expiry":
        till.pass_by(QUARTER)
    else:
        till.freeze()
    again = till.do(till.order(tokens(4), request="a"))
    assert (again.replayed, again.reservation.id) == (True, first.id)
    assert again.reservation.opening == first.opening


def test_a_request_key_of_another_request_is_refused() -> None:
    till = till_with(10)
    till.do(till.order(tokens(4), request="a"))
    with pytest.raises(RequestKeyReused) as refusal:
        till.do(till.order(tokens(4), request="a", fingerprint="other"))
    assert str(refusal.value) == "this Idempotency-Key was used before for another request"
    assert till.free() == 6


def extended(till: Till, id: ReservationId) -> tuple[int, int]:
    """What it holds, and what is free."""
    return till.desk.reservations[id].held, till.free()


def test_a_hold_is_raised_to_what_is_asked_and_a_repeat_changes_nothing() -> None:
    till = till_with(10)
    id = till.hold(4)
    for _ in range(2):
        answer = till.extend(id, 7)
        assert (answer.reservation.estimate, answer.available) == (tokens(7), 3)
        assert extended(till, id) == (7, 3)


def test_a_hold_is_never_lowered() -> None:
    till = till_with(10)
    id = till.hold(4)
    assert till.extend(id, 3).available == 6
    assert extended(till, id) == (4, 6)
    assert till.desk.reservations[id].estimate == tokens(4)


def test_a_raise_takes_from_the_next_lots_too() -> None:
    till = till_with(5, 5)
    first, second = till.desk.lots
    id = till.hold(4)
    till.extend(id, 8)
    assert till.desk.reservations[id].holds == ((first, 4), (first, 1), (second, 3))
    till.release(id)
    assert till.free() == 10


def test_a_raise_is_all_or_nothing() -> None:
    till = till_with(10)
    id = till.hold(4)
    till.extend(id, 10)
    other = till_with(10)
    id = other.hold(4)
    before = other.desk.reservations[id]
    with pytest.raises(InsufficientCredits) as refusal:
        other.extend(id, 11, expires_in=LONGEST)
    assert (refusal.value.needed, refusal.value.available) == (7, 6)
    assert other.desk.reservations[id] == before
    assert other.free() == 6


def test_a_deadline_moves_to_so_long_from_now_and_never_back() -> None:
    till = till_with(10)
    id = till.hold(4)
    till.pass_by(timedelta(minutes=10))
    later = till.extend(id, expires_in=timedelta(minutes=20)).reservation
    assert (later.expires_at, later.held) == (NOON + timedelta(minutes=30), 4)
    assert later.opening.expires_at == NOON + QUARTER
    assert till.extend(id, expires_in=timedelta(minutes=1)).reservation.expires_at == later.expires_at


def test_a_started_call_is_extended_too() -> None:
    till = till_with(10)
    id = till.hold(4)
    till.start(id)
    assert till.extend(id, 5).reservation.state is State.STARTED


def test_a_test_call_is_extended_for_nothing() -> None:
    till = till_with(1)
    id = till.hold(4, test=True)
    answer = till.extend(id, 9)
    assert (answer.reservation.estimate, answer.reservation.held, answer.available) == (tokens(9), 0, 1)


def test_only_an_open_reservation_of_a_thawed_workspace_is_extended() -> None:
    till = till_with(10)
    done, late = till.hold(1), till.hold(1)
    till.release(done)
    with pytest.raises(ReservationSettled):
        till.extend(done, 2)
    with pytest.raises(ReservationMissing):
        till.do(Extend(account=till.desk.account.id, reservation=ReservationId(till.new_id())))
    till.freeze()
    with pytest.raises(WorkspaceFrozen):
        till.extend(late, 2)
    till.pass_by(QUARTER)
    with pytest.raises(ReservationExpired):
        till.extend(late, 2)
