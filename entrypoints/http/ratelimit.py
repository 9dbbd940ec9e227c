"""Where a caller stands, as draft-ietf-httpapi-ratelimit-headers (2025) writes it."""

from collections.abc import Sequence

from domain.usage.limits import RateLimited, Standing

_GREATEST = 999_999_999_999_999  # an Integer of RFC 9651 has at most 15 digits


def limit_headers(standings: Sequence[Standing]) -> dict[str, str]:
    """``RateLimit-Policy`` and ``RateLimit``; neither where there is no limit, as they may not be empty."""
    if not standings:
        return {}
    policies, states = [], []
    for each in standings:
        name = _string(each.limit.name)
        policies.append(f"{name};q={min(each.limit.calls, _GREATEST)};w={each.limit.seconds}")
        states.append(f"{name};r={min(each.remaining, _GREATEST)};t={each.reset}")
    return {"RateLimit-Policy": ", ".join(policies), "RateLimit": ", ".join(states)}


def refusal_headers(refusal: RateLimited) -> dict[str, str]:
    return {**limit_headers(refusal.standings), "Retry-After": str(refusal.retry_after)}


def _string(text: str) -> str:
    """A String of RFC 9651, section 4.1.6."""
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{text!r} is no name for a policy: it has to be printable ASCII")
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
