"""Amounts are exact, and a price is rounded once."""

from fractions import Fraction
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.credits import (
    MICRO,
    ONE,
    PICO,
    MalformedAmount,
    Price,
    Quantity,
    format_credits,
    format_decimal,
    parse_credits,
    parse_decimal,
)

COUNTS = st.integers(0, 10_000_000)
FEES = st.integers(0, 100 * PICO)
MULTIPLIERS = st.integers(0, 100 * ONE)
PRICES = st.builds(Price, per_call=FEES, per_input_token=FEES, per_output_token=FEES, per_unit=FEES)
QUANTITIES = st.builds(Quantity, input_tokens=COUNTS, output_tokens=COUNTS, units=COUNTS)


def exact(price: Price, quantity: Quantity, multiplier: int) -> Fraction:
    """In microcredits, before any rounding."""
    sum_of_fees = (
        Fraction(price.per_call, PICO)
        + Fraction(price.per_input_token, PICO) * quantity.input_tokens
        + Fraction(price.per_output_token, PICO) * quantity.output_tokens
        + Fraction(price.per_unit, PICO) * quantity.units
    )
    return sum_of_fees * Fraction(multiplier, ONE) * MICRO


def with_output(quantity: Quantity, count: int) -> Quantity:
    return Quantity(input_tokens=quantity.input_tokens, output_tokens=count, units=quantity.units)


@given(price=PRICES, quantity=QUANTITIES, multiplier=MULTIPLIERS)
def test_a_cost_is_the_exact_sum_rounded_up_once(price: Price, quantity: Quantity, multiplier: int) -> None:
    assert price.of(quantity, multiplier=multiplier) == ceil(exact(price, quantity, multiplier))


def test_small_prices_are_not_rounded_one_by_one() -> None:
    third = Price(per_input_token=333_333, per_output_token=333_333, per_unit=333_334)
    assert third.of(Quantity(input_tokens=1, output_tokens=1, units=1), multiplier=ONE) == 1
    assert third.of(Quantity(input_tokens=1, output_tokens=1, units=2), multiplier=ONE) == 2


def test_whatever_costs_nothing_is_free() -> None:
    assert Price().of(Quantity(input_tokens=9, output_tokens=9, units=9), multiplier=ONE) == 0
    assert Price(per_call=PICO).of(Quantity(), multiplier=0) == 0


@given(price=PRICES, quantity=QUANTITIES, multiplier=MULTIPLIERS, share=st.fractions(0, 2))
def test_a_budget_pays_for_as_many_tokens_as_fit_and_not_one_more(
    price: Price, quantity: Quantity, multiplier: int, share: Fraction
) -> None:
    budget = int(price.of(quantity, multiplier=multiplier) * share)
    fitting = price.output_tokens_for(budget, quantity, multiplier=multiplier)
    if fitting is None:
        assert price.of(with_output(quantity, 0), multiplier=multiplier) > budget
        return
    assert 0 <= fitting <= quantity.output_tokens
    assert price.of(with_output(quantity, fitting), multiplier=multiplier) <= budget
    if fitting < quantity.output_tokens:
        assert price.of(with_output(quantity, fitting + 1), multiplier=multiplier) > budget


@pytest.mark.parametrize(
    ("budget", "fitting"), [(0, None), (9, None), (10, 0), (11, 0), (12, 1), (13, 2), (19, 6), (20, 7)]
)
def test_the_call_is_paid_before_its_tokens(budget: int, fitting: int | None) -> None:
    price = Price(per_call=10 * MICRO, per_output_token=1_333_333)
    assert price.output_tokens_for(budget, Quantity(output_tokens=7), multiplier=ONE) == fitting


def test_tokens_that_cost_nothing_are_all_affordable_once_the_call_is() -> None:
    price = Price(per_call=10 * MICRO)
    assert price.output_tokens_for(10, Quantity(output_tokens=7), multiplier=ONE) == 7
    assert price.output_tokens_for(9, Quantity(output_tokens=7), multiplier=ONE) is None


@given(price=PRICES, quantity=QUANTITIES, multiplier=MULTIPLIERS)
def test_the_arithmetic_leads_to_the_total(price: Price, quantity: Quantity, multiplier: int) -> None:
    terms, shown, total = price.explain(quantity, multiplier=multiplier)
    assert [(term.per, term.count) for term in terms] == [
        ("call", 1),
        ("input_token", quantity.input_tokens),
        ("output_token", quantity.output_tokens),
        ("unit", quantity.units),
    ]
    assert shown == multiplier
    assert total == ceil(Fraction(sum(term.amount for term in terms) * shown, ONE * MICRO))
    assert total == price.of(quantity, multiplier=multiplier)


@pytest.mark.parametrize("field", ["per_call", "per_input_token", "per_output_token", "per_unit"])
def test_no_price_is_negative(field: str) -> None:
    with pytest.raises(ValueError, match="negative price"):
        Price(**{field: -1})


@pytest.mark.parametrize("field", ["input_tokens", "output_tokens", "units"])
def test_no_quantity_is_negative(field: str) -> None:
    with pytest.raises(ValueError, match="negative quantity"):
        Quantity(**{field: -1})


@given(micro=st.integers(0, 10**25 - 1))
def test_credits_come_back_as_they_were_written(micro: int) -> None:
    text = format_credits(micro)
    assert parse_credits(text) == micro
    assert Fraction(text) == Fraction(micro, MICRO)


@given(whole=st.integers(0, 10**19 - 1), fraction=st.text("0123456789", min_size=1, max_size=12))
def test_a_decimal_is_read_exactly_or_refused(whole: int, fraction: str) -> None:
    value = Fraction(f"{whole}.{fraction}") * MICRO
    if value.denominator == 1:
        assert parse_credits(f"{whole}.{fraction}") == value
    else:
        with pytest.raises(MalformedAmount):
            parse_credits(f"{whole}.{fraction}")


def test_the_longest_decimal_loses_nothing() -> None:
    text = "1234567890123456789.123456789012"
    assert parse_decimal(text, places=12) == 1_234_567_890_123_456_789_123_456_789_012
    with pytest.raises(MalformedAmount):
        parse_decimal("1234567890123456789.123456000001", places=6)


@pytest.mark.parametrize(
    ("micro", "text"),
    [(0, "0"), (12_500_000, "12.5"), (1, "0.000001"), (-1_500_000, "-1.5"), (-1, "-0.000001"), (10**7, "10")],
)
def test_credits_are_written_as_short_as_can_be(micro: int, text: str) -> None:
    assert format_credits(micro) == text


def test_prices_have_twelve_places() -> None:
    assert format_decimal(1, places=12) == "0.000000000001"
    assert parse_decimal("0.000000000001", places=12) == 1


NO_DECIMALS = [
    "",
    ".",
    "1.",
    ".5",
    "-1",
    "+1",
    "1e3",
    "1_000",
    " 1",
    "1 ",
    "1\n",
    "NaN",
    "Infinity",
    "0x1",
    "1,5",
]
TOO_LONG = ["0.0000001", "1.1234567", "0.0000000000001", "9" * 20, "1" * 300]
FOREIGN = ["\N{ARABIC-INDIC DIGIT ONE}", "1\x00", "\ud800"]


@pytest.mark.parametrize("text", [*NO_DECIMALS, *TOO_LONG, *FOREIGN])
def test_what_is_no_decimal_is_refused_and_said(text: str) -> None:
    with pytest.raises(MalformedAmount) as refusal:
        parse_credits(text)
    assert refusal.value.given == text[:40]
    assert "at most 6 places" in str(refusal.value)


def test_zeros_behind_the_last_place_say_nothing() -> None:
    assert parse_credits("1.500000000000") == 1_500_000
