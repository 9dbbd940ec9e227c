"""What share of its credits an account has spent."""

import pytest

from domain.ids import AccountId, WorkspaceId
from domain.usage.consumption import Consumption
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds

new_id = CountedIds()


@pytest.mark.parametrize(
    ("left", "spent", "told", "passed"),
    [
        (0, 0, 0, None),
        (10, 0, 0, None),
        (21, 79, 0, None),
        (20, 80, 0, 80),
        (20, 80, 80, None),
        (1, 999, 0, 80),
        (0, 1, 0, 100),
        (0, 1, 80, 100),
        (0, 1, 100, None),
        (30, 80, 100, None),
    ],
)
def test_a_threshold_is_told_of_once_and_the_higher_of_two_alone(
    left: int, spent: int, told: int, passed: int | None
) -> None:
    use = Consumption(
        account=AccountId(new_id()),
        workspace=WorkspaceId(new_id()),
        product="api",
        since=NOON,
        left=left,
        spent=spent,
        told=told,
    )
    assert use.granted == left + spent
    assert use.passed == passed
