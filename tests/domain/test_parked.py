"""An account whose books are being checked."""

from dataclasses import replace
from datetime import timedelta

import pytest

from domain.usage.errors import AccountParked
from tests.fakes.desks import Till


def till_with(amount: int) -> Till:
    till = Till()
    till.lot(amount)
    return till


def test_a_parked_account_reserves_nothing_and_says_whom_to_ask() -> None:
    till = till_with(10)
    till.desk.account = replace(till.desk.account, parked=True)
    with pytest.raises(AccountParked) as refusal:
        till.hold(1)
    assert "nothing was charged: ask whoever runs this service" in str(refusal.value)


def test_of_a_parked_account_an_overdue_hold_that_its_lots_do_not_know_stays() -> None:
    till = till_with(10)
    broken, sound = till.hold(4), till.hold(3)
    (lot,) = till.desk.lots.values()
    till.desk.put_lot(replace(lot, held=3))
    till.desk.account = replace(till.desk.account, parked=True)
    till.pass_by(timedelta(days=1))
    with pytest.raises(AccountParked):
        till.hold(1)
    assert till.desk.reservations[broken].state.open
    assert not till.desk.reservations[sound].state.open
