from dataclasses import replace

from domain.catalog import bounds
from domain.catalog.errors import FeatureMissing, PlanMissing
from domain.credits import Price, Quantity
from tests.fakes.catalog import PLAN

TEN_MILLION = 10_000_000


def test_the_dearest_call_there_can_be_fits_a_bigint_fifty_times() -> None:
    dearest = Price(
        per_call=bounds.CALL_PRICE,
        per_input_token=bounds.TOKEN_PRICE,
        per_output_token=bounds.TOKEN_PRICE,
        per_unit=bounds.UNIT_PRICE,
    )
    largest = Quantity(input_tokens=TEN_MILLION, output_tokens=TEN_MILLION, units=TEN_MILLION)
    assert dearest.of(largest, multiplier=bounds.MULTIPLIER) * 50 < 2**63


def test_the_largest_allocation_fits_a_bigint_thousands_of_times() -> None:
    assert bounds.CREDITS * 1000 < 2**63


def test_a_plan_without_a_price_is_free() -> None:
    assert PLAN.free
    assert not replace(PLAN, price=1).free


def test_what_is_missing_is_named() -> None:
    assert str(PlanMissing("api", "free")) == "there is no plan api/free"
    assert str(PlanMissing("api", "free", 3)) == "there is no plan api/free@3"
    assert str(FeatureMissing("echo")) == "there is no feature 'echo'"
