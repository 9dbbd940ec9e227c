"""Queued runs: their state, their hold and what is told of them change in one step."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest

from domain.ids import BatchId, KeyId, ReservationId
from domain.usage.errors import InsufficientCredits
from domain.usage.queue import (
    EXPIRED,
    INTERRUPTED,
    BeginRun,
    CancelRun,
    EndRun,
    HandBackRun,
    KeepRun,
    Queue,
    Task,
    failure,
)
from domain.usage.queued_run import (
    ATTEMPTS,
    LEASE,
    QUEUED_FOR,
    QueuedRun,
    RunEnded,
    RunMissing,
    RunNotEnded,
    RunQueued,
    RunSettled,
    RunState,
)
from domain.usage.reservation import State
from domain.usage.reserve import Reserved
from tests.fakes.clock import NOON
from tests.fakes.desks import CALL, SURE, Till, tokens

HOUR = timedelta(hours=1)
ADA, BOB = UUID(int=1), UUID(int=2)
"""Two workers."""


class Line(Till):
    """A till at which runs wait."""

    def queue(
        self,
        *counts: int,
        feature: str = CALL,
        request: str | None = None,
        batch: bool = False,
        notify: bool = False,
    ) -> Reserved:
        """A run for each of ``counts``, which is what it may cost."""
        return self.do(self.line(*counts, feature=feature, request=request, batch=batch, notify=notify))

    def line(
        self,
        *counts: int,
        feature: str = CALL,
        request: str | None = None,
        batch: bool = False,
        notify: bool = False,
    ) -> Queue:
        orders = [
            self.order(
                tokens(count),
                feature=feature,
                request=request if at == 0 else None,
                key=KeyId(UUID(int=7)),
                expires_in=QUEUED_FOR,
            )
            for at, count in enumerate(counts)
        ]
        return Queue(
            tasks=[Task(order, f'{{"nth": {nth}}}') for nth, order in enumerate(orders)],
            batch=BatchId(self.new_id()) if batch else None,
            notify=notify,
        )

    def queued(self, count: int, *, feature: str = CALL, notify: bool = False) -> ReservationId:
        return self.queue(count, feature=feature, notify=notify).reservation.id

    def begin(self, id: ReservationId, worker: UUID = ADA, lasts: timedelta = HOUR) -> QueuedRun:
        return self.do(BeginRun(account=self.desk.account.id, run=id, worker=worker, lasts=lasts))

    def end(self, id: ReservationId, count: int | None, worker: UUID = ADA) -> QueuedRun:
        usage = None if count is None else tokens(count)
        return self.do(
            EndRun(account=self.desk.account.id, run=id, worker=worker, outcome="{}", usage=usage, model="m")
        )

    def cancel(self, id: ReservationId) -> QueuedRun:
        return self.do(CancelRun(account=self.desk.account.id, run=id))

    def keep(self, id: ReservationId, worker: UUID = ADA) -> QueuedRun:
        return self.do(KeepRun(account=self.desk.account.id, run=id, worker=worker))

    def hand_back(self, id: ReservationId, worker: UUID = ADA) -> QueuedRun:
        return self.do(HandBackRun(account=self.desk.account.id, run=id, worker=worker))

    @property
    def told(self) -> Sequence[type]:
        return [type(each) for each in self.desk.events]

    def state(self, id: ReservationId) -> State:
        return self.desk.reservations[id].state


@pytest.fixture
def line() -> Line:
    line = Line()
    line.lot(100)
    return line


def test_it_is_held_for_and_told(line: Line) -> None:
    id = line.queued(10)
    run = line.desk.runs[id]
    assert (run.state, run.attempts, run.input, run.created_at) == (RunState.QUEUED, 0, '{"nth": 0}', NOON)
    assert (line.free(), line.state(id)) == (90, State.HELD)
    (event,) = line.desk.events
    assert isinstance(event, RunQueued)
    assert (event.run, event.feature, event.workspace) == (id, CALL, line.desk.account.workspace)


def test_the_same_request_queues_once(line: Line) -> None:
    command = line.line(10, request="a")
    first, again = line.do(command), line.do(command)
    other = line.queue(10, request="a")
    assert (first.replayed, again.replayed, other.replayed) == (False, False, True)
    assert first.reservation.id == again.reservation.id == other.reservation.id
    assert (len(line.desk.runs), len(line.desk.events), line.free()) == (1, 1, 90)


def test_a_batch_is_queued_whole(line: Line) -> None:
    line.queue(10, 20, 30, batch=True)
    (batch,) = line.desk.batches
    assert (batch.total, batch.feature, batch.created_at) == (3, CALL, NOON)
    runs = list(line.desk.runs.values())
    assert [(each.batch, each.position, each.input) for each in runs] == [
        (batch.id, nth, f'{{"nth": {nth}}}') for nth in range(3)
    ]
    assert (line.free(), len(line.desk.events)) == (40, 3)


def test_a_batch_that_does_not_fit_leaves_everything_as_it_was(line: Line) -> None:
    line.queued(10)
    before = line.desk.copy()
    with pytest.raises(InsufficientCredits) as caught:
        line.queue(40, 40, 40, batch=True)
    assert (caught.value.needed, caught.value.available) == (120, 90)
    with pytest.raises(InsufficientCredits) as caught:
        line.queue(91)
    assert (caught.value.needed, caught.value.available) == (91, 90)
    for name in ("lots", "reservations", "requests", "runs", "events", "batches", "new_runs"):
        assert getattr(line.desk, name) == getattr(before, name), name
    assert line.free() == 90
    line.queue(40, 40, batch=True)
    assert line.free() == 10


def test_a_worker_begins_it_and_is_done(line: Line) -> None:
    id = line.queued(10)
    run = line.begin(id)
    assert (run.state, run.attempts, run.worker, run.started_at) == (RunState.RUNNING, 1, ADA, NOON)
    assert (run.leased_until, line.state(id)) == (NOON + LEASE, State.STARTED)
    line.pass_by(timedelta(seconds=5))
    done = line.end(id, 4)
    assert (done.state, done.charged, done.outcome, done.finished_at) == (RunState.DONE, 4, "{}", line.now)
    assert done.kept_until == line.now + line.desk.terms.keeps
    assert (line.free(), line.state(id), len(line.desk.records)) == (96, State.COMMITTED, 1)
    assert line.end(id, 9) == line.begin(id, BOB) == done
    assert (line.free(), len(line.desk.records)) == (96, 1)


def test_one_that_fails_charges_nothing_and_says_why(line: Line) -> None:
    id = line.queued(10)
    line.begin(id)
    failed = line.do(
        EndRun(account=line.desk.account.id, run=id, worker=ADA, outcome=failure("code", "in words"))
    )
    assert (failed.state, failed.charged, failed.failure) == (RunState.FAILED, 0, "in words")
    assert (line.free(), line.state(id)) == (100, State.RELEASED)
    assert line.desk.runs[id].failure == "in words"
    assert line.desk.runs[line.queued(1)].failure is None


def test_a_worker_that_asks_again_still_has_it_and_another_has_not(line: Line) -> None:
    id = line.queued(10)
    begun = line.begin(id)
    assert line.begin(id) == line.begin(id, BOB) == begun
    assert begun.led_by(ADA)
    assert not begun.led_by(BOB)


def test_one_that_goes_on_is_kept(line: Line) -> None:
    id = line.queued(10)
    line.begin(id)
    line.pass_by(LEASE - timedelta(seconds=1))
    line.keep(id)
    assert line.keep(id, BOB).led_by(ADA)
    line.pass_by(LEASE - timedelta(seconds=1))
    assert line.begin(id, BOB).led_by(ADA)


def test_a_dead_workers_run_is_begun_anew_on_the_same_hold_and_charged_once(line: Line) -> None:
    id = line.queued(10)
    line.begin(id)
    line.pass_by(LEASE)
    again = line.begin(id, BOB)
    assert (again.attempts, again.worker, again.started_at, line.free()) == (2, BOB, NOON, 90)
    assert line.end(id, 3).state is RunState.RUNNING, "the first worker was not dead after all"
    assert line.end(id, 4, BOB).charged == 4
    assert (line.free(), len(line.desk.records)) == (96, 1)


def test_one_whose_workers_die_of_it_fails_in_the_end(line: Line) -> None:
    id = line.queued(10)
    for nth in range(ATTEMPTS):
        line.begin(id, UUID(int=100 + nth))
        line.pass_by(LEASE)
    failed = line.begin(id, BOB)
    assert (failed.state, failed.attempts, failed.charged) == (RunState.FAILED, ATTEMPTS, 0)
    assert INTERRUPTED in str(failed.outcome)
    assert line.free() == 100


def test_where_the_feature_charges_a_dead_workers_run_is_charged_whole(line: Line) -> None:
    id = line.queued(10, feature=SURE)
    line.begin(id)
    line.pass_by(LEASE)
    failed = line.begin(id, BOB)
    assert (failed.state, failed.charged, line.state(id)) == (RunState.FAILED, 10, State.EXPIRED)
    assert INTERRUPTED in str(failed.outcome)
    assert (line.free(), len(line.desk.records)) == (90, 1)
    assert line.end(id, 3) == failed


def test_one_that_waited_too_long_fails_and_its_hold_is_back(line: Line) -> None:
    id = line.queued(10)
    line.pass_by(QUEUED_FOR)
    failed = line.begin(id)
    assert (failed.state, failed.charged, line.free()) == (RunState.FAILED, 0, 100)
    assert EXPIRED in str(failed.outcome)


def test_its_hold_lasts_as_long_as_the_call_may(line: Line) -> None:
    id = line.queued(10)
    line.pass_by(QUEUED_FOR - timedelta(minutes=1))
    line.begin(id, lasts=HOUR)
    assert line.desk.reservations[id].expires_at == line.now + HOUR
    other = line.queued(10)
    line.begin(other, lasts=HOUR)
    assert line.desk.reservations[other].expires_at == line.now + QUEUED_FOR


@pytest.mark.parametrize(("feature", "charged"), [(CALL, 0), (SURE, 10)])
def test_a_call_that_outlasts_its_hold_is_ended_by_that(line: Line, feature: str, charged: int) -> None:
    id = line.queued(10, feature=feature)
    line.begin(id)
    line.pass_by(QUEUED_FOR)
    failed = line.end(id, 4)
    assert (failed.state, failed.charged, line.free()) == (RunState.FAILED, charged, 100 - charged)
    assert INTERRUPTED in str(failed.outcome)


def test_a_worker_that_stops_hands_it_back_and_that_was_no_attempt(line: Line) -> None:
    id = line.queued(10)
    line.begin(id)
    assert line.hand_back(id, BOB).led_by(ADA)
    back = line.hand_back(id)
    assert (back.state, back.attempts, back.worker, back.leased_until) == (RunState.QUEUED, 0, None, None)
    assert line.begin(id, BOB).led_by(BOB)


def test_what_is_charged_once_it_has_begun_is_not_handed_back(line: Line) -> None:
    id = line.queued(10, feature=SURE)
    line.begin(id)
    assert line.hand_back(id).led_by(ADA)


@pytest.mark.parametrize("begun", [False, True])
def test_it_is_cancelled_and_nothing_is_charged(line: Line, begun: bool) -> None:  # noqa: FBT001
    id = line.queued(10)
    if begun:
        line.begin(id)
    cancelled = line.cancel(id)
    assert (cancelled.state, cancelled.charged, cancelled.outcome) == (RunState.CANCELLED, 0, None)
    assert (line.free(), line.state(id)) == (100, State.RELEASED)
    assert line.cancel(id) == line.begin(id) == line.end(id, 4) == line.keep(id) == cancelled


def test_one_whose_hold_ran_out_can_still_be_cancelled(line: Line) -> None:
    id = line.queued(10)
    line.pass_by(QUEUED_FOR)
    assert line.cancel(id).state is RunState.CANCELLED
    assert line.state(id) is State.EXPIRED


def test_what_has_ended_is_not_cancelled(line: Line) -> None:
    id = line.queued(10)
    line.begin(id)
    line.end(id, 4)
    with pytest.raises(RunEnded, match="it is done"):
        line.cancel(id)


def test_its_end_is_told_to_whom_asked_for_that(line: Line) -> None:
    for notify in (False, True):
        line.desk.events.clear()
        id = line.queued(5, notify=notify)
        line.begin(id)
        line.end(id, 4)
        assert line.told == ([RunQueued, RunSettled] if notify else [RunQueued])
    event = line.desk.events[-1]
    assert isinstance(event, RunSettled)
    assert (event.run, event.batch) == (id, None)


def test_one_that_is_not_there_is_missing(line: Line) -> None:
    with pytest.raises(RunMissing, match="no such run"):
        line.begin(ReservationId(line.new_id()))
    assert "it is queued" in str(RunNotEnded("queued"))
