"""What becomes of a message that fails."""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest

from domain.errors import Away, Conflict, DatabaseUnavailable, Invalid, Limited, UpstreamFailed
from domain.events import PATIENCE, WAITS, Again, Dead, DeadLetterMissing, NotYet, after_failure


@dataclass(eq=False)
class Busy(Limited):
    code: ClassVar[str] = "busy"


@dataclass(eq=False)
class Broken(UpstreamFailed):
    code: ClassVar[str] = "broken"


@dataclass(eq=False)
class Nonsense(Invalid):
    code: ClassVar[str] = "nonsense"


@dataclass(eq=False)
class Clash(Conflict):
    code: ClassVar[str] = "clash"


@pytest.mark.parametrize("error", [Busy(), Broken(), DatabaseUnavailable(), RuntimeError("secret")])
def test_what_may_pass_is_tried_again_ever_later_and_then_given_up(error: Exception) -> None:
    found = [after_failure(error, attempt) for attempt in range(4)]
    assert found[:3] == [Again(wait, attempt + 1) for attempt, wait in enumerate(WAITS)]
    assert (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10)) == WAITS
    assert isinstance(found[3], Dead)
    assert found[3].reason.endswith(", 4 times")
    assert "secret" not in found[3].reason


class Closed(Away):
    code: ClassVar[str] = "closed"


def test_what_needs_a_service_that_is_away_waits_for_days() -> None:
    assert [after_failure(Closed(), attempt) for attempt in (0, 3, 400)] == [
        Again(WAITS[0], 1),
        Again(WAITS[-1], 4),
        Again(WAITS[-1], 401),
    ]
    assert after_failure(Closed(), PATIENCE) == Dead(f"closed, {PATIENCE + 1} times")


@pytest.mark.parametrize("error", [Nonsense(), Clash()])
def test_what_gets_no_better_is_given_up_at_once(error: Exception) -> None:
    assert after_failure(error, 0) == Dead(getattr(error, "code", ""))


def test_what_somebody_else_is_at_waits_and_that_is_no_attempt() -> None:
    assert [after_failure(NotYet(), attempt) for attempt in (0, 3, 99)] == [
        Again(WAITS[0], 0),
        Again(WAITS[0], 3),
        Again(WAITS[0], 99),
    ]
    assert str(NotYet()) == "somebody else is acting on it"


def test_a_dead_letter_that_is_gone_is_told() -> None:
    assert "no such dead letter" in str(DeadLetterMissing())
