"""What a plan lends, and how it is paid back."""

from datetime import timedelta

from domain.usage.lot import NEVER, Source
from domain.usage.terms import Terms
from tests.fakes.clock import NOON
from tests.fakes.desks import PLAN, RATES, Till

LENDING = Terms(plan=PLAN, rates=RATES, overdraft=6)


def test_it_is_never_reserved() -> None:
    till = Till(LENDING)
    assert till.free() == 0
    assert till.desk.take(5, NOON) == ()


def test_its_lot_opens_at_the_first_need() -> None:
    till = Till(LENDING)
    parts = till.desk.lend(4, NOON)
    (lot,) = till.desk.lots.values()
    assert parts == ((lot.id, 4),)
    assert (lot.source, lot.granted, lot.free) == (Source.OVERDRAFT, 6, 6)
    assert (lot.starts_at, lot.created_at, lot.expires_at, lot.priority) == (NOON, NOON, NEVER, 100)


def test_it_lends_up_to_what_the_plan_gives() -> None:
    till = Till(LENDING)
    till.desk.spend(till.desk.lend(4, NOON))
    (again,) = till.desk.lend(4, NOON)
    assert again.amount == 2
    till.desk.spend([again])
    assert till.desk.lend(1, NOON) == ()
    assert len(till.desk.lots) == 1


def test_a_plan_without_it_lends_nothing() -> None:
    till = Till()
    assert till.desk.lend(4, NOON) == ()
    assert till.desk.lots == {}


def test_it_follows_the_plan_that_holds_now() -> None:
    till = Till(LENDING)
    till.desk.spend(till.desk.lend(4, NOON))
    till.desk.terms = Terms(plan=PLAN, overdraft=9)
    assert [part.amount for part in till.desk.lend(9, NOON)] == [5]
    till.desk.terms = Terms(plan=PLAN, overdraft=3)
    assert till.desk.lend(9, NOON) == ()
    till.desk.terms = Terms(plan=PLAN)
    assert till.desk.lend(9, NOON) == ()


def test_the_next_month_pays_it_back() -> None:
    till = Till(Terms(plan=PLAN, rates=RATES, renews=True, allocation=10, overdraft=6))
    till.commit(till.hold(10), 14)
    assert till.free() == 0
    till.pass_by(timedelta(days=30))
    till.desk.open(till.now)
    assert till.free() == 6
    (repayment,) = till.desk.repayments
    assert (repayment.amount, repayment.at) == (4, till.now)
    assert till.figures(repayment.lot) == (6, 0, 4)
    assert till.figures(repayment.overdraft) == (6, 0, 0)
