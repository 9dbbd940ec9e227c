"""The checks of products and of their plans."""

from datetime import date

import pytest

from application.catalog.source import Path
from tests.fakes.catalog_documents import PLAN_AT, changed, faults


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("product",), {}, 'product: is not known here; did you mean "products"?'),
        (("products",), ..., "products is missing"),
        (("features",), {}, "features: there must be at least one feature"),
        (("features",), [], "features: is an array, but must be a table"),
        (("products", "api"), "x", "products.api: is a string, but must be a table"),
        (("products", "api", "name"), ..., "products.api: name is missing"),
        (("products", "api", "plans"), ..., "products.api: plans is missing"),
        (("products", "api", "plans"), {}, "products.api.plans: there must be at least one plan"),
        ((*PLAN_AT, "name"), "", "products.api.plans.free.name: must not be empty"),
        ((*PLAN_AT, "name"), " ", "products.api.plans.free.name: must not be empty"),
        ((*PLAN_AT, "name"), 1, "products.api.plans.free.name: is an integer, but must be a string"),
        (
            (*PLAN_AT, "name"),
            "x" * 201,
            "products.api.plans.free.name: has 201 characters, but at most 200 are allowed",
        ),
        (
            (*PLAN_AT, "description"),
            "a\0",
            "products.api.plans.free.description: must not hold the control character '\\x00'",
        ),
        (
            (*PLAN_AT, "price"),
            29.0,
            'products.api.plans.free.price: is a float, but an amount must be a string, such as "12.5"',
        ),
        (
            (*PLAN_AT, "price"),
            "9.999",
            "products.api.plans.free.price: '9.999' is not a decimal number such as 12.5, with at most 2",
        ),
        ((*PLAN_AT, "price"), "1000000.01", "products.api.plans.free.price: must be at most 1000000"),
        (
            (*PLAN_AT, "allocation"),
            True,
            "products.api.plans.free.allocation: is a boolean, but an amount must be a string",
        ),
        ((*PLAN_AT, "multiplier"), "100.1", "products.api.plans.free.multiplier: must be at most 100"),
        (
            (*PLAN_AT, "currency"),
            "usd",
            "products.api.plans.free.currency: 'usd' is not a currency code such as \"EUR\"",
        ),
        (
            (*PLAN_AT, "currency"),
            "JPY",
            "products.api.plans.free.currency: 'JPY' has no hundredths, in which prices are kept",
        ),
        ((*PLAN_AT, "seats"), 0, "products.api.plans.free.seats: must be from 1 to 100000"),
        ((*PLAN_AT, "seats"), True, "products.api.plans.free.seats: is a boolean, but must be an integer"),
        ((*PLAN_AT, "seats"), "3", "products.api.plans.free.seats: is a string, but must be an integer"),
        ((*PLAN_AT, "limits"), 3, "products.api.plans.free.limits: is an integer, but must be a table"),
        (
            (*PLAN_AT, "limits"),
            {"per_hour": 3},
            "products.api.plans.free.limits.per_hour: is not known here; known are per_day, per_minute",
        ),
        ((*PLAN_AT, "features"), ..., "products.api.plans.free: features is missing"),
        ((*PLAN_AT, "features"), [], "products.api.plans.free.features: must hold at least one feature"),
        (
            (*PLAN_AT, "features"),
            "echo",
            'products.api.plans.free.features: is a string, but must be an array of features, or "*" for all',
        ),
        (
            (*PLAN_AT, "features"),
            ["eco"],
            'products.api.plans.free.features.0: there is no feature "eco"; did you mean "echo"?',
        ),
        (
            (*PLAN_AT, "features"),
            ["echo", "echo"],
            'products.api.plans.free.features.1: names the feature "echo" again',
        ),
        (
            (*PLAN_AT, "features"),
            [date(2026, 1, 1)],
            "products.api.plans.free.features.0: is a date or a time, but must be the key of a feature",
        ),
    ],
)
def test_what_is_wrong_with_a_product_or_a_plan_is_said(path: Path, value: object, message: str) -> None:
    said = faults(changed(path, value))
    assert any(each.startswith(message) for each in said), said


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    catalog = changed((*PLAN_AT, "allocation"), ...)
    catalog["products"]["api"]["plans"]["free"]["alocation"] = "5"
    assert faults(catalog) == [
        'products.api.plans.free.alocation: is not known here; did you mean "allocation"?'
    ]


def pack(**changes: object) -> dict[str, object]:
    return {"name": "Pack", "price": "5", "currency": "USD", "credits": "1", **changes}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"price": "0"}, "products.api.packs.small.price: must be more than 0"),
        ({"credits": "0"}, "products.api.packs.small.credits: must be more than 0"),
        ({"price": 5}, "products.api.packs.small.price: is an integer, but an amount must be a string"),
        ({"days": 0}, "products.api.packs.small.days: must be from 1 to 3650"),
        ({"day": 1}, 'products.api.packs.small.day: is not known here; did you mean "days"?'),
    ],
)
def test_a_pack_has_a_price_and_credits(given: dict[str, object], message: str) -> None:
    found = faults(changed(("products", "api", "packs"), {"small": pack(**given)}))
    assert len(found) == 1
    assert found[0].startswith(message)


def test_a_product_may_have_packs_or_none() -> None:
    for packs in ({}, {"small": pack(), "large": pack(days=30)}):
        assert faults(changed(("products", "api", "packs"), packs)) == []
