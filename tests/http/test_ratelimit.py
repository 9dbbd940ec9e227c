import pytest

from domain.usage.limits import Limit, RateLimited, Standing
from entrypoints.http.ratelimit import limit_headers, refusal_headers

MINUTE = Limit("minute", 60, 60)
DAY = Limit("day", 1000, 86_400)


def test_each_limit_is_told_with_its_policy_and_its_state() -> None:
    standings = (Standing(MINUTE, remaining=59, reset=30), Standing(DAY, remaining=0, reset=86_400))
    assert limit_headers(standings) == {
        "RateLimit-Policy": '"minute";q=60;w=60, "day";q=1000;w=86400',
        "RateLimit": '"minute";r=59;t=30, "day";r=0;t=86400',
    }


def test_without_limits_there_are_no_headers() -> None:
    assert limit_headers(()) == {}


def test_a_refusal_also_says_when_to_try_again() -> None:
    refusal = RateLimited.of((Standing(MINUTE, remaining=0, reset=17),))
    assert refusal_headers(refusal) == {
        "RateLimit-Policy": '"minute";q=60;w=60',
        "RateLimit": '"minute";r=0;t=17',
        "Retry-After": "17",
    }


def test_names_are_quoted_and_numbers_kept_within_fifteen_digits() -> None:
    odd = Limit('per "\\" hour', 10**18, 3600)
    assert limit_headers((Standing(odd, remaining=10**18 - 1, reset=1),)) == {
        "RateLimit-Policy": '"per \\"\\\\\\" hour";q=999999999999999;w=3600',
        "RateLimit": '"per \\"\\\\\\" hour";r=999999999999999;t=1',
    }


@pytest.mark.parametrize("name", ["größe", "tab\there", "line\nbreak", "nul\0"])
def test_a_name_that_no_header_can_hold_is_a_bug(name: str) -> None:
    with pytest.raises(ValueError, match="no name for a policy"):
        limit_headers((Standing(Limit(name, 1, 60), remaining=1, reset=1),))
