from datetime import timedelta

from application.jobs.purge import KEEP, MOST, Kind, Purge
from tests.fakes.clock import SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.leftovers import FakeLeftovers


async def test_each_kind_is_kept_for_its_time_and_then_purged_whole() -> None:
    clock, new_id = SetClock(), CountedIds()
    leftovers = FakeLeftovers(clock)
    second = timedelta(seconds=1)
    for kind, keep in KEEP.items():
        leftovers.rows[new_id()] = (kind, None)
        leftovers.rows[new_id()] = (kind, clock.now() - keep + second)
        leftovers.rows |= {new_id(): (kind, clock.now() - keep - second) for _ in range(2 * MOST)}
    assert await Purge(leftovers)() == {str(kind): 2 * MOST for kind in Kind}
    assert len(leftovers.rows) == 2 * len(Kind)
    assert await Purge(leftovers)() == {str(kind): 0 for kind in Kind}


def test_a_repeat_finds_its_reservation_for_longer_than_a_day() -> None:
    assert KEEP[Kind.RESERVATIONS] >= timedelta(days=1) + timedelta(hours=24)
