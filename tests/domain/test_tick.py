"""When jobs are due."""

from datetime import timedelta

import pytest

from domain.jobs.tick import OK, JobMissing, JobRunning, JobTooSlow, Tick, TickLost, Timing
from tests.fakes.clock import NOON

HOUR, DAY, LEASE = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)
SOON = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("timing", "last"),
    [
        (Timing(HOUR), NOON),
        (Timing(HOUR, at=timedelta(minutes=10)), NOON - timedelta(minutes=50)),
        (Timing(DAY), NOON - 12 * HOUR),
        (Timing(DAY, at=2 * HOUR), NOON - 10 * HOUR),
        (Timing(DAY, at=13 * HOUR), NOON - 23 * HOUR),
    ],
)
def test_ticks_are_counted_from_midnight(timing: Timing, last: object) -> None:
    assert timing.last(NOON) == last
    assert timing.last(NOON + SOON) == last
    assert timing.next(NOON) - timing.last(NOON) == timing.every


def claimed() -> Tick:
    return Tick(job="j").claim(NOON, NOON, by="a", lease=LEASE)


def test_a_tick_is_free_once() -> None:
    assert Tick(job="j").free(NOON, NOON)
    tick = claimed()
    assert not tick.free(NOON, NOON + SOON)
    over = tick.finish(OK, NOON + SOON)
    assert not over.running(NOON + SOON)
    assert not over.free(NOON, NOON + 2 * SOON)
    assert over.free(NOON + HOUR, NOON + HOUR)


def test_one_that_was_left_undone_is_free_again() -> None:
    tick = claimed()
    assert tick.free(NOON, NOON + LEASE)
    assert not tick.extend(NOON + SOON, lease=LEASE).free(NOON, NOON + LEASE)
    assert tick.give_back(NOON + SOON).free(NOON, NOON + SOON)


def test_a_clock_that_goes_back_gives_no_tick_a_second_time() -> None:
    over = claimed().finish(OK, NOON)
    assert not over.free(NOON - HOUR, NOON - SOON)
    again = claimed().claim(NOON - HOUR, NOON - SOON, by="b", lease=LEASE)
    assert again.due_at == NOON


def test_failures_are_counted_in_a_row() -> None:
    once = claimed().finish("Boom", NOON)
    twice = once.claim(NOON + HOUR, NOON + HOUR, by="a", lease=LEASE).finish("Boom", NOON + HOUR)
    assert (once.failures, twice.failures, twice.outcome) == (1, 2, "Boom")
    assert twice.finish(OK, NOON + HOUR).failures == 0


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (JobMissing(("a", "b")), "there is no such job: there are a, b"),
        (JobRunning("a"), "the job a is running elsewhere: wait until it is done"),
        (TickLost("a"), "the job a was taken over by another process"),
        (JobTooSlow("a", 60.0), "the job a was not done within 60 s"),
    ],
)
def test_what_goes_wrong_is_told(error: Exception, text: str) -> None:
    assert str(error) == text
