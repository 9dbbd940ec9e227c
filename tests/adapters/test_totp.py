"""One-time passwords as RFC 6238 has them."""

from datetime import UTC, datetime, timedelta

import pytest
from pyotp import TOTP

from adapters.security.totp import Totp

SECRET = b"12345678901234567890"
VECTORS = {
    59: "94287082",
    1111111109: "07081804",
    1111111111: "14050471",
    1234567890: "89005924",
    2000000000: "69279037",
    20000000000: "65353130",
}
"""Appendix B, SHA-1: time and eight digits, of which an app shows the last six."""


@pytest.mark.parametrize(("seconds", "digits"), VECTORS.items())
def test_the_vectors_of_the_standard(seconds: int, digits: str) -> None:
    at, step = datetime.fromtimestamp(seconds, UTC), seconds // 30
    assert Totp().step(SECRET, digits[-6:], at) == step
    assert Totp().step(SECRET, f"{digits[-6:-3]} {digits[-3:]}", at) == step


@pytest.mark.parametrize(("drift", "found"), [(-30, 100), (30, 100), (-60, None), (60, None)])
def test_a_code_may_be_a_step_early_or_late(drift: int, found: int | None) -> None:
    at = datetime.fromtimestamp(100 * 30, UTC)
    code = TOTP(Totp().text(SECRET)).generate_otp(100)
    assert Totp().step(SECRET, code, at + timedelta(seconds=drift)) == found


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_what_is_no_code_is_of_no_step(code: str) -> None:
    assert Totp().step(SECRET, code, datetime.fromtimestamp(59, UTC)) is None


def test_a_secret_is_shown_to_people_and_to_apps() -> None:
    assert Totp().text(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    uri = Totp().uri(SECRET, "ada@example.org")
    assert uri.startswith("otpauth://totp/CueBX:ada%40example.org?secret=GEZDGNBVGY3TQOJQ")
    assert "issuer=CueBX" in uri
