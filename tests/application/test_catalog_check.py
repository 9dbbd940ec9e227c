"""The checks of a whole catalog: what is read, and how its faults are told."""

import pytest

from application.catalog.check import CheckCatalog
from application.catalog.source import CatalogFaulty, CatalogUnreadable, Document, Fault
from domain.catalog.feature import OnTimeout
from domain.credits import MICRO, PICO
from tests.fakes.catalog_documents import (
    FEATURE,
    FEATURE_AT,
    FILE,
    PLAN_AT,
    GivenFile,
    GivenSchemaRules,
    GivenTemplateRules,
    changed,
    check,
    faults,
)


def test_what_is_in_order_becomes_a_draft() -> None:
    draft = check()
    (product,), (plan,), (feature,) = draft.products, draft.plans, draft.features
    assert (product.key, product.version, product.name, product.description) == ("api", 1, "API", "")
    assert (plan.product, plan.key, plan.version, plan.price, plan.seats) == ("api", "free", 1, 0, 1)
    assert (plan.allocation, plan.overdraft, plan.multiplier) == (500 * MICRO, 0, 1_000_000)
    assert (plan.per_minute, plan.per_day) == (None, None)
    assert plan.tariffs["echo"].price == feature.price
    assert (feature.key, feature.version, feature.price_version) == ("echo", 1, 1)
    assert feature.price.per_call == PICO // 2
    assert (feature.timeout, feature.units_from, feature.on_timeout) == (60, None, OnTimeout.RELEASE)
    assert feature.input_schema == FEATURE["input"]


def test_everything_that_may_be_said_is_read() -> None:
    catalog = changed((*PLAN_AT, "limits"), {"per_minute": 3, "per_day": 4})
    catalog["products"]["api"]["plans"]["free"] |= {
        "price": "29.90",
        "seats": 5,
        "overdraft": "10.5",
        "multiplier": "0.8",
        "features": "*",
        "description": "For\na few.",
    }
    catalog["features"]["echo"] |= {
        "timeout": 9,
        "units_from": "list",
        "on_timeout": "charge",
        "price": {
            "per_call": "1",
            "per_input_token": "0.000000000001",
            "per_output_token": "0.2",
            "per_unit": "3",
        },
    }
    draft = check(catalog)
    (plan,), (feature,) = draft.plans, draft.features
    assert (plan.price, plan.seats, plan.overdraft, plan.multiplier) == (2990, 5, 10_500_000, 800_000)
    assert (plan.per_minute, plan.per_day, plan.description) == (3, 4, "For\na few.")
    assert set(plan.tariffs) == {"echo"}
    assert (feature.timeout, feature.units_from, feature.on_timeout) == (9, "list", OnTimeout.CHARGE)
    assert (feature.price.per_input_token, feature.price.per_unit) == (1, 3 * PICO)


@pytest.mark.parametrize("key", ["", "Echo", "1st", "a-b", "a" * 64, "a b", "é"])
def test_a_key_is_a_plain_word(key: str) -> None:
    catalog = changed(("features", key), FEATURE)
    assert any("a key of a feature is a small letter, then at most 62" in each for each in faults(catalog))


def test_every_fault_is_said_at_once() -> None:
    catalog = changed((*PLAN_AT, "price"), "x")
    catalog["products"]["api"]["name"] = 3
    catalog["features"]["echo"]["model"] = ""
    catalog["features"]["other"] = 1
    assert len(faults(catalog)) == 4


def test_a_feature_that_is_not_in_order_is_still_known_to_plans() -> None:
    assert faults(changed(FEATURE_AT, 1)) == ["features.echo: is an integer, but must be a table"]


def test_what_seems_to_be_missing_may_be_in_a_part_that_could_not_be_read() -> None:
    document = Document(
        data={"products": {"api": {}}, "features": {}},
        faults=(Fault(3, "not TOML"),),
        lost=frozenset({("products", "api", "name"), ("features",), ("products", "api", "plans")}),
    )
    with pytest.raises(CatalogFaulty) as refusal:
        CheckCatalog(GivenFile(document), GivenSchemaRules(), GivenTemplateRules())(FILE)
    assert refusal.value.faults == (Fault(3, "not TOML"),)


def test_of_what_is_no_toml_at_all_nothing_is_missing() -> None:
    document = Document(data={}, faults=(Fault(1, "not TOML"),))
    with pytest.raises(CatalogFaulty) as refusal:
        CheckCatalog(GivenFile(document), GivenSchemaRules(), GivenTemplateRules())(FILE)
    assert refusal.value.faults == (Fault(1, "not TOML"),)


def test_a_fault_stands_on_the_line_of_what_it_is_in() -> None:
    document = Document(data={}, lines={("a",): 3, ("a", "b"): 5})
    assert document.line(("a", "b", "c")) == 5
    assert document.line(("a", "c")) == 3
    assert document.line(("a",), within=2) == 3
    assert document.line(()) == 1


def test_a_file_that_cannot_be_read_is_named() -> None:
    assert str(CatalogUnreadable("a.toml", "is a directory")) == "a.toml: is a directory"
