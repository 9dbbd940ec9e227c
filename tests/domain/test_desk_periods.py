"""A free plan's month opens by itself."""

from datetime import timedelta

from domain.usage.lot import Source
from domain.usage.terms import Terms
from tests.fakes.clock import NOON
from tests.fakes.desks import PLAN, RATES, Till

FREE_PLAN = Terms(plan=PLAN, rates=RATES, renews=True, allocation=100)


def test_a_free_plans_month_opens_when_it_is_first_needed() -> None:
    till = Till(FREE_PLAN)
    till.desk.open(NOON)
    (lot,) = till.desk.lots.values()
    assert (lot.source, lot.granted, lot.free, lot.priority) == (Source.ALLOCATION, 100, 100, 20)
    assert (lot.starts_at, lot.expires_at, lot.created_at) == (NOON, NOON.replace(month=12), NOON)
    assert lot.reference == f"allocation:{NOON.isoformat()}"
    assert till.desk.account.period_end == lot.expires_at
    assert till.desk.account_changed
    assert till.desk.changed_lots == {lot.id}


def test_it_opens_once() -> None:
    till = Till(FREE_PLAN)
    till.desk.open(NOON)
    till.pass_by(timedelta(days=30) - timedelta(microseconds=1))
    till.desk.open(till.now)
    assert till.free() == 100


def test_what_is_left_ends_with_its_month_and_the_next_one_opens() -> None:
    till = Till(FREE_PLAN)
    till.commit(till.hold(40), 40)
    till.pass_by(timedelta(days=30))
    till.desk.open(till.now)
    assert till.free() == 100
    assert till.desk.account.period_end == NOON.replace(year=2027, month=1)


def test_months_that_nobody_used_are_not_made_up_for() -> None:
    till = Till(FREE_PLAN)
    till.desk.open(NOON)
    till.pass_by(timedelta(days=200))
    till.desk.open(till.now)
    assert till.free() == 100
    assert len(till.desk.lots) == 2
    assert till.desk.account.period_end == NOON.replace(year=2027, month=6)


def test_a_plan_without_credits_has_periods_all_the_same() -> None:
    till = Till(Terms(plan=PLAN, rates=RATES, renews=True))
    till.desk.open(NOON)
    assert till.desk.lots == {}
    assert till.desk.account.period_end == NOON.replace(month=12)


def test_a_plan_that_is_paid_for_opens_none_by_itself() -> None:
    till = Till(Terms(plan=PLAN, rates=RATES, allocation=100))
    till.desk.open(NOON)
    assert till.desk.lots == {}
    assert not till.desk.account_changed


def test_an_account_whose_clock_was_ahead_of_the_ledgers_can_spend_at_once() -> None:
    till = Till(FREE_PLAN, anchor=NOON + timedelta(seconds=2))
    till.desk.open(NOON)
    assert till.free() == 100
    till.pass_by(timedelta(seconds=2))
    till.desk.open(till.now)
    assert till.free() == 100
