"""Which keys the suite takes."""

import pytest

from tests.stripe.ways import NAME, WAYS, key_from


@pytest.mark.parametrize("key", ["sk_live_1", "rk_live_1", "pk_test_1", "whsec_1", "1"])
def test_a_key_that_is_not_of_the_test_mode_is_refused_and_not_told(key: str) -> None:
    with pytest.raises(ValueError, match=f"{NAME} must be a key of Stripe's test mode") as refused:
        key_from({NAME: key})
    assert key not in str(refused.value)


def test_a_key_of_the_test_mode_is_taken() -> None:
    assert [key_from({NAME: key}) for key in ("sk_test_1", "rk_test_1", "")] == [
        "sk_test_1",
        "rk_test_1",
        None,
    ]
    assert key_from({}) is None


def test_the_stand_in_is_always_asked() -> None:
    assert "stand-in" in WAYS
