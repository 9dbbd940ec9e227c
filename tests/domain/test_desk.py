"""What is spendable, and what time does by itself."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.usage.lot import Source
from domain.usage.reservation import State
from tests.fakes.clock import NOON
from tests.fakes.desks import SURE, Till, tokens

HOUR = timedelta(hours=1)
QUARTER = timedelta(minutes=15)


def test_only_what_is_live_and_free_can_be_spent() -> None:
    till = Till()
    till.lot(5)
    till.lot(7, starts_at=NOON + HOUR)
    till.lot(11, expires_at=NOON)
    till.lot(13, source=Source.OVERDRAFT)
    assert till.free() == 5
    till.hold(2)
    assert till.free() == 3
    till.pass_by(HOUR)
    assert till.free() == 10


def test_what_the_books_have_is_laid_out_and_is_no_change() -> None:
    till = Till()
    till.lot(10)
    held = till.do(till.order(tokens(4), request="a")).reservation
    other = Till()
    other.desk.lay(till.desk.lots.values(), [held])
    assert other.desk.requests == {"a": held.id}
    other.release(held.id)
    assert other.desk.changed_lots == set(till.desk.lots)
    assert other.desk.changed_reservations == {held.id}
    assert not other.desk.new_reservations


def test_credits_burn_by_priority_then_expiry_then_age() -> None:
    till = Till()
    bought = till.lot(10)
    soon = till.lot(10, expires_at=NOON + HOUR)
    first = till.lot(10, source=Source.PROMOTION)
    last = till.lot(10, priority=50)
    newer = till.lot(10)
    order = [first, soon, bought, newer, last]
    assert [part.lot for part in till.desk.take(50, NOON)] == order
    assert till.desk.take(15, NOON) == ((first, 10), (soon, 5))
    assert till.desk.take(0, NOON) == ()


@given(granted=st.lists(st.integers(1, 9), max_size=5), amount=st.integers(0, 60))
def test_as_much_is_taken_as_there_is(granted: list[int], amount: int) -> None:
    till = Till()
    for each in granted:
        till.lot(each)
    parts = till.desk.take(amount, NOON)
    assert sum(part.amount for part in parts) == min(amount, sum(granted))
    assert all(part.amount > 0 for part in parts)


def test_a_hold_ends_at_its_deadline_whoever_looks() -> None:
    till = Till()
    lot = till.lot(10)
    held = till.hold(4)
    till.pass_by(QUARTER - timedelta(microseconds=1))
    till.desk.open(till.now)
    assert till.figures(lot) == (6, 4, 0)
    till.pass_by(timedelta(microseconds=1))
    till.desk.open(till.now)
    assert till.figures(lot) == (10, 0, 0)
    expired = till.desk.reservations[held]
    assert (expired.state, expired.held) == (State.EXPIRED, 0)
    assert expired.settlement is not None
    assert expired.settlement.at == expired.expires_at
    assert (expired.settlement.charged, expired.settlement.available) == (0, 10)
    assert till.desk.records == []


def test_a_started_call_that_never_ends_is_given_back_unless_its_feature_says_otherwise() -> None:
    till = Till()
    lot = till.lot(10)
    till.start(till.hold(3))
    till.hold(2, feature=SURE)
    till.start(till.hold(4, feature=SURE))
    till.pass_by(QUARTER)
    till.desk.open(till.now)
    assert till.figures(lot) == (6, 0, 4)
    (record,) = till.desk.records
    assert (record.cost, record.charged, record.uncollected) == (4, 4, 0)
    assert record.charges == ((lot, 4),)
    assert record.usage == tokens(4)
    assert record.recorded_at == NOON + QUARTER
    settlement = till.desk.reservations[record.id].settlement
    assert settlement is not None
    assert settlement.available == 6


def test_a_test_call_that_never_ends_is_recorded_and_costs_nothing() -> None:
    till = Till()
    till.start(till.hold(4, feature=SURE, test=True))
    till.pass_by(QUARTER)
    till.desk.open(till.now)
    (record,) = till.desk.records
    assert (record.test, record.charged, record.uncollected, record.charges) == (True, 0, 0, ())


def test_time_passes_once() -> None:
    till = Till()
    till.lot(10)
    till.start(till.hold(4, feature=SURE))
    till.pass_by(QUARTER)
    for _ in range(3):
        till.desk.open(till.now)
    assert len(till.desk.records) == 1


def test_what_a_hold_gives_back_to_an_expired_lot_is_void() -> None:
    till = Till()
    lot = till.lot(10, expires_at=NOON + timedelta(minutes=10))
    till.hold(4)
    till.pass_by(QUARTER)
    till.desk.open(till.now)
    assert till.figures(lot) == (10, 0, 0)
    assert till.free() == 0
