"""Months are counted from an anchor, and there is no instant between two of them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.period import Period, add_months, month_of

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001 - given one


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("anchor", "months", "then"),
    [
        ("2026-01-31", 0, "2026-01-31"),
        ("2026-01-31", 1, "2026-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2026-01-31", 2, "2026-03-31"),
        ("2026-01-31", 3, "2026-04-30"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2024-02-29", 48, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -1, "2025-12-15"),
    ],
)
def test_a_month_later_is_the_same_day_or_the_last(anchor: str, months: int, then: str) -> None:
    assert add_months(at(anchor), months) == at(then)


def test_the_time_of_day_stays() -> None:
    assert add_months(at("2026-01-31T23:59:59.999999"), 1) == at("2026-02-28T23:59:59.999999")


@given(anchor=INSTANTS, now=INSTANTS)
def test_every_instant_from_the_anchor_on_lies_in_its_month(anchor: datetime, now: datetime) -> None:
    period = month_of(anchor, now)
    if now < anchor:
        assert period.start == anchor
    else:
        assert period.start <= now < period.end
    assert timedelta(days=28) <= period.end - period.start <= timedelta(days=31)


@given(anchor=INSTANTS, months=st.integers(0, 600))
def test_the_months_follow_each_other_without_a_gap(anchor: datetime, months: int) -> None:
    start = add_months(anchor, months)
    period = month_of(anchor, start)
    assert period.start == start
    assert month_of(anchor, period.end).start == period.end
    assert month_of(anchor, period.end - timedelta(microseconds=1)) == period


def test_the_31st_stays_the_31st_after_a_february() -> None:
    anchor = at("2026-01-31")
    assert month_of(anchor, at("2026-03-01")) == Period(at("2026-02-28"), at("2026-03-31"))
    assert month_of(anchor, at("2026-04-01")) == Period(at("2026-03-31"), at("2026-04-30"))


def test_a_period_has_a_length() -> None:
    with pytest.raises(ValueError, match="a period from"):
        Period(at("2026-01-01"), at("2026-01-01"))
