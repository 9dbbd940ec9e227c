"""A second factor is turned on once, and each of its codes counts once."""

from dataclasses import replace
from uuid import UUID

import pytest

from domain.identity.second_factor import (
    RECOVERY_BYTES,
    SecondFactor,
    SecondFactorOn,
    SecondFactorRefused,
    recovery_digest,
    recovery_text,
)
from domain.ids import UserId
from tests.fakes.clock import NOON

ADA = UserId(UUID(int=1))
FACTOR = SecondFactor(user=ADA, sealed=b"sealed")


def test_it_is_turned_on_by_a_code_and_once() -> None:
    on = FACTOR.enable(100, NOON)
    assert (FACTOR.on, on.on, on.last_step) == (False, True, 100)
    with pytest.raises(SecondFactorOn):
        on.enable(101, NOON)
    with pytest.raises(SecondFactorRefused):
        FACTOR.enable(None, NOON)


@pytest.mark.parametrize("step", [None, 99, 100])
def test_a_step_counts_once_and_none_before_it(step: int | None) -> None:
    on = replace(FACTOR, last_step=100)
    with pytest.raises(SecondFactorRefused, match="wrong, too old, or used"):
        on.accept(step)
    assert on.accept(101).last_step == 101


def test_a_recovery_code_is_four_groups_of_six() -> None:
    text = recovery_text(bytes(RECOVERY_BYTES))
    assert text == "000000-000000-000000-000000"
    assert recovery_text(bytes([255] * RECOVERY_BYTES)) == "zzzzzz-zzzzzz-zzzzzz-zzzzzz"
    assert len({recovery_text(bytes([each]) + bytes(14)) for each in range(256)}) == 256


def test_a_recovery_code_is_known_however_it_is_typed() -> None:
    text = recovery_text(bytes(range(RECOVERY_BYTES)))
    digest = recovery_digest(ADA, text)
    typed = text.upper().replace("-", " ").replace("0", "O").replace("1", "I")
    assert recovery_digest(ADA, typed) == digest
    assert recovery_digest(UserId(UUID(int=2)), text) != digest
    assert recovery_digest(ADA, text[:-1]) != digest
