"""What an account has, at one instant."""

from datetime import timedelta

from domain.usage.balance import Balance
from domain.usage.lot import Source
from domain.usage.terms import Terms
from tests.fakes.clock import NOON
from tests.fakes.desks import PLAN, RATES, Till

HOUR = timedelta(hours=1)


def test_it_says_what_is_free_what_is_held_and_what_is_owed() -> None:
    till = Till(Terms(plan=PLAN, rates=RATES, overdraft=6))
    till.lot(10)
    till.commit(till.hold(3), 3)
    till.hold(5)
    till.commit(till.hold(0), 6)
    balance = Balance.of(till.desk, NOON)
    assert (balance.available, balance.held, balance.overdrawn) == (0, 5, 4)
    assert (balance.account, balance.at) == (till.desk.account, NOON)


def test_it_shows_the_lots_that_count_as_they_burn() -> None:
    till = Till(Terms(plan=PLAN, rates=RATES, overdraft=6))
    used_up = till.lot(2, priority=0)
    till.commit(till.hold(2), 2)
    bought = till.lot(10)
    till.commit(till.hold(10), 12)
    bought_too = till.lot(10)
    expired = till.lot(10, expires_at=NOON)
    gone_but_held = till.lot(10, priority=0, expires_at=NOON + timedelta(minutes=5))
    to_come = till.lot(10, priority=99, starts_at=NOON + HOUR)
    till.hold(1)
    till.pass_by(timedelta(minutes=5))
    balance = Balance.of(till.desk, till.now)
    assert [lot.id for lot in balance.lots] == [gone_but_held, bought_too, to_come]
    assert not {used_up, bought, expired} & {lot.id for lot in balance.lots}
    assert not [lot for lot in balance.lots if lot.source is Source.OVERDRAFT]
    assert (balance.available, balance.held, balance.overdrawn) == (10, 1, 2)


def test_it_is_what_is_left_after_time_has_done_its_work() -> None:
    till = Till(Terms(plan=PLAN, rates=RATES, renews=True, allocation=7))
    till.lot(10, expires_at=NOON + HOUR)
    till.hold(8)
    assert Balance.of(till.desk, NOON).available == 9
    later = Balance.of(till.desk, NOON + HOUR)
    assert (later.available, later.held) == (7, 0)
