"""A lot is always in balance."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ids import AccountId, LotId
from domain.usage.lot import NEVER, Lot, Source
from tests.fakes.clock import NOON

TICK = timedelta(microseconds=1)
LOT = Lot(
    account=AccountId(UUID(int=1)),
    id=LotId(UUID(int=2)),
    source=Source.TOP_UP,
    granted=10,
    priority=40,
    starts_at=NOON,
    created_at=NOON,
)


@given(granted=st.integers(-5, 20), held=st.integers(-5, 20), spent=st.integers(-5, 20))
def test_it_never_holds_and_spends_more_than_was_granted(granted: int, held: int, spent: int) -> None:
    if held < 0 or spent < 0 or held + spent > granted:
        with pytest.raises(ValueError, match="out of balance"):
            replace(LOT, granted=granted, held=held, spent=spent)
    else:
        lot = replace(LOT, granted=granted, held=held, spent=spent)
        assert lot.granted == lot.free + lot.held + lot.spent


def test_what_is_held_is_not_free_and_what_is_spent_is_gone() -> None:
    held = LOT.hold(4)
    assert (held.free, held.held, held.spent) == (6, 4, 0)
    given_back = held.unhold(3)
    assert (given_back.free, given_back.held) == (9, 1)
    spent = given_back.spend(9)
    assert (spent.free, spent.held, spent.spent) == (0, 1, 9)


@pytest.mark.parametrize(("move", "amount"), [(Lot.hold, 11), (Lot.unhold, 1), (Lot.spend, 11)])
def test_a_move_that_breaks_the_balance_is_a_bug(move: Callable[[Lot, int], Lot], amount: int) -> None:
    with pytest.raises(ValueError, match="out of balance"):
        move(LOT, amount)


def test_it_lives_from_its_start_up_to_but_without_its_end() -> None:
    lot = replace(LOT, expires_at=NOON + timedelta(hours=1))
    assert not lot.live(NOON - TICK)
    assert lot.live(NOON)
    assert lot.live(NOON + timedelta(hours=1) - TICK)
    assert not lot.live(NOON + timedelta(hours=1))
    assert LOT.live(NEVER - TICK)


def test_priority_burns_before_expiry_and_expiry_before_age() -> None:
    later = NOON + timedelta(days=1)
    in_order = [
        replace(LOT, priority=1),
        replace(LOT, priority=2, expires_at=later, created_at=later),
        replace(LOT, priority=2),
        replace(LOT, priority=2, id=LotId(UUID(int=3))),
        replace(LOT, priority=2, created_at=later, id=LotId(UUID(int=1))),
    ]
    for one in in_order:
        assert [other for other in in_order if other.burn_order < one.burn_order] == in_order[
            : in_order.index(one)
        ]
