"""The checks of a catalog's content, without a file: documents as a reader would give them."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePath
from typing import Any

import pytest

from application.catalog.check import CheckCatalog
from application.catalog.ports import CatalogFiles, SchemaRules, TemplateFault, TemplateRead, TemplateRules
from application.catalog.source import CatalogFaulty, CatalogUnreadable, Document, Fault, Path
from domain.catalog.bounds import SCHEMA_DEPTH
from domain.catalog.feature import OnTimeout
from domain.catalog.publication import Draft
from domain.credits import MICRO, PICO

FILE = PurePath("catalog.toml")
FEATURE: dict[str, Any] = {
    "name": "Echo",
    "price": {"per_call": "0.5"},
    "model": "default",
    "prompt": "{{ input.text }}",
    "max_output_tokens": 100,
    "input": {"type": "object", "properties": {"text": {}, "list": {"type": "array"}}},
    "output": {"type": "object"},
}
PLAN: dict[str, Any] = {
    "name": "Free",
    "price": "0",
    "currency": "USD",
    "allocation": "500",
    "features": ["echo"],
}
CATALOG: dict[str, Any] = {
    "products": {"api": {"name": "API", "plans": {"free": PLAN}}},
    "features": {"echo": FEATURE},
}
PLAN_AT = ("products", "api", "plans", "free")
FEATURE_AT = ("features", "echo")


@dataclass
class GivenFile(CatalogFiles):
    document: Document

    def read(self, file: PurePath) -> Document:
        return self.document


@dataclass
class GivenSchemaRules(SchemaRules):
    answers: list[tuple[Path, str]] = field(default_factory=list)

    def faults(self, schema: Mapping[str, object]) -> Iterable[tuple[Path, str]]:
        return self.answers if "properties" in schema else ()


@dataclass
class GivenTemplateRules(TemplateRules):
    answers: list[TemplateFault] = field(default_factory=list)
    asked: list[TemplateRead] = field(default_factory=list)

    def faults(self, source: str) -> Iterable[TemplateFault]:
        return self.answers

    def reads(self, source: str) -> Iterable[TemplateRead]:
        return self.asked


def changed(path: Path, value: object) -> dict[str, Any]:
    """The catalog with another value at ``path``; without one where that is ``...``."""
    catalog = deepcopy(CATALOG)
    *above, last = path
    table: Any = catalog
    for key in above:
        table = table.setdefault(key, {})
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return catalog


def check(
    data: Mapping[str, object] = CATALOG,
    *,
    schemas: SchemaRules | None = None,
    templates: TemplateRules | None = None,
) -> Draft:
    rules = schemas or GivenSchemaRules(), templates or GivenTemplateRules()
    return CheckCatalog(GivenFile(Document(data=data)), *rules)(FILE)


def faults(
    data: Mapping[str, object],
    *,
    schemas: SchemaRules | None = None,
    templates: TemplateRules | None = None,
) -> list[str]:
    try:
        check(data, schemas=schemas, templates=templates)
    except CatalogFaulty as error:
        return [fault.message for fault in error.faults]
    return []


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
        ((*FEATURE_AT, "price"), {}, "features.echo.price: must hold at least one of per_call, "),
        ((*FEATURE_AT, "price"), ..., "features.echo: price is missing"),
        (
            (*FEATURE_AT, "price", "per_input_token"),
            "1.1",
            "features.echo.price.per_input_token: must be at most 1",
        ),
        (
            (*FEATURE_AT, "model"),
            "a b",
            "features.echo.model: 'a b' is not an alias such as \"default\"",
        ),
        ((*FEATURE_AT, "max_output_tokens"), ..., "features.echo: max_output_tokens is missing"),
        ((*FEATURE_AT, "timeout"), 3601, "features.echo.timeout: must be from 1 to 3600"),
        (
            (*FEATURE_AT, "on_timeout"),
            "realease",
            'features.echo.on_timeout: must be "release" or "charge"; did you mean "release"?',
        ),
        (
            (*FEATURE_AT, "units_from"),
            "lists",
            'features.echo.units_from: the input has no property "lists"; did you mean "list"?',
        ),
        (
            (*FEATURE_AT, "units_from"),
            "text",
            'features.echo.units_from: the property "text" of the input must say type = "array"',
        ),
        ((*FEATURE_AT, "input"), ..., "features.echo: input is missing"),
        ((*FEATURE_AT, "input"), "{}", "features.echo.input: is a string, but must be a table"),
        ((*FEATURE_AT, "output"), {}, 'features.echo.output: the schema must say type = "object"'),
        (
            (*FEATURE_AT, "input", "default"),
            date(2026, 1, 1),
            "features.echo.input.default: is a date or a time, which JSON does not know",
        ),
        (
            (*FEATURE_AT, "input", "enum"),
            [1, float("nan")],
            "features.echo.input.enum.1: must be a finite number of at most 64 bits",
        ),
        (
            (*FEATURE_AT, "input", "minimum"),
            2**63,
            "features.echo.input.minimum: must be a finite number of at most 64 bits",
        ),
        (
            (*FEATURE_AT, "input", "a\0b"),
            "c\0",
            'features.echo.input."a\\u0000b": must not hold a NUL character',
        ),
    ],
)
def test_what_is_wrong_is_said(path: Path, value: object, message: str) -> None:
    said = faults(changed(path, value))
    assert any(each.startswith(message) for each in said), said


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


def test_a_misspelt_key_is_not_missing_as_well() -> None:
    catalog = changed((*PLAN_AT, "allocation"), ...)
    catalog["products"]["api"]["plans"]["free"]["alocation"] = "5"
    assert faults(catalog) == [
        'products.api.plans.free.alocation: is not known here; did you mean "allocation"?'
    ]


def test_a_feature_that_is_not_in_order_is_still_known_to_plans() -> None:
    assert faults(changed(FEATURE_AT, 1)) == ["features.echo: is an integer, but must be a table"]


def test_a_schema_is_not_read_deeper_than_it_may_be() -> None:
    deep: dict[str, object] = {}
    for _ in range(3 * SCHEMA_DEPTH):
        deep = {"not": deep}
    assert [each.rpartition(": ")[2] for each in faults(changed((*FEATURE_AT, "input", "not"), deep))] == [
        f"is nested more than {SCHEMA_DEPTH} deep"
    ]


def test_whole_numbers_of_a_schema_are_integers() -> None:
    (feature,) = check(changed((*FEATURE_AT, "input", "enum"), [2.0, 0.5, True, [1e3]])).features
    assert repr(feature.input_schema["enum"]) == "[2, 0.5, True, [1000]]"


def test_the_faults_of_a_schema_stand_where_they_are() -> None:
    rules = GivenSchemaRules([(("properties", "text"), "is odd")])
    assert faults(CATALOG, schemas=rules) == ["features.echo.input.properties.text: is odd"]


def test_the_faults_of_a_template_stand_on_their_line() -> None:
    document = Document(
        data=CATALOG,
        lines={(*FEATURE_AT, "prompt"): 10},
        texts={(*FEATURE_AT, "prompt"): (11, 13)},
    )
    rules = GivenTemplateRules([TemplateFault(2, "is odd"), TemplateFault(9, "is even")])
    with pytest.raises(CatalogFaulty) as refusal:
        CheckCatalog(GivenFile(document), GivenSchemaRules(), rules)(FILE)
    assert str(refusal.value) == (
        "catalog.toml:12: features.echo.prompt: is odd\ncatalog.toml:13: features.echo.prompt: is even"
    )


def test_a_prompt_asks_only_for_what_a_closed_input_holds() -> None:
    asks = GivenTemplateRules(asked=[TemplateRead(1, "text"), TemplateRead(1, "txt")])
    closed = changed((*FEATURE_AT, "input", "additionalProperties"), value=False)
    assert faults(closed, templates=asks) == [
        'features.echo.prompt: the input has no property "txt"; did you mean "text"?'
    ]
    assert faults(CATALOG, templates=asks) == []


def test_schemas_without_properties_have_none() -> None:
    catalog = changed((*FEATURE_AT, "units_from"), "list")
    catalog["features"]["echo"]["input"] = {"type": "object", "properties": 1}
    assert faults(catalog) == ['features.echo.units_from: the input has no property "list"']
    catalog["features"]["echo"]["input"]["properties"] = {"list": True}
    assert faults(catalog) == [
        'features.echo.units_from: the property "list" of the input must say type = "array"'
    ]
    del catalog["features"]["echo"]["input"]
    assert faults(catalog) == ["features.echo: input is missing"]


def test_what_seems_to_be_missing_may_be_in_a_part_that_could_not_be_read() -> None:
    document = Document(
        data={"products": {"api": {}}, "features": {}},
        faults=(Fault(3, "not TOML"),),
        lost=frozenset({("products", "api", "name"), ("features",), ("products", "api", "plans")}),
    )
    with pytest.raises(CatalogFaulty) as refusal:
        CheckCatalog(GivenFile(document), GivenSchemaRules(), GivenTemplateRules())(FILE)
    assert refusal.value.faults == (Fault(3, "not TOML"),)


def test_a_fault_stands_on_the_line_of_what_it_is_in() -> None:
    document = Document(data={}, lines={("a",): 3, ("a", "b"): 5})
    assert document.line(("a", "b", "c")) == 5
    assert document.line(("a", "c")) == 3
    assert document.line(("a",), within=2) == 3
    assert document.line(()) == 1


def test_a_file_that_cannot_be_read_is_named() -> None:
    assert str(CatalogUnreadable("a.toml", "is a directory")) == "a.toml: is a directory"
