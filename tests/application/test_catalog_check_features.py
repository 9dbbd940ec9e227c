"""The checks of features: their prices, schemas and prompts."""

from copy import deepcopy
from datetime import date

import pytest

from application.catalog.check import CheckCatalog
from application.catalog.ports import TemplateFault, TemplateRead
from application.catalog.source import CatalogFaulty, Document, Path
from domain.catalog.bounds import SCHEMA_DEPTH
from tests.fakes.catalog_documents import (
    CATALOG,
    FEATURE,
    FEATURE_AT,
    FILE,
    GivenFile,
    GivenSchemaRules,
    GivenTemplateRules,
    changed,
    check,
    faults,
)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
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
def test_what_is_wrong_with_a_feature_is_said(path: Path, value: object, message: str) -> None:
    said = faults(changed(path, value))
    assert any(each.startswith(message) for each in said), said


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


def test_aliases_that_settings_would_take_for_one_are_told() -> None:
    catalog = changed((*FEATURE_AT, "model"), "gpt-4.1")
    catalog["features"]["same"] = deepcopy(catalog["features"]["echo"])
    assert faults(catalog) == []
    catalog["features"]["other"] = {**FEATURE, "model": "gpt_4-1"}
    assert faults(catalog) == [
        'features.other.model: settings cannot tell the alias "gpt_4-1" from "gpt-4.1"'
    ]
