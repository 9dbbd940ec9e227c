"""Catalogs as files, and the one that comes with CueBX."""

from pathlib import Path

import pytest

from adapters.catalog_file.files import SAMPLE, TomlCatalogFiles
from adapters.catalog_file.schemas import JsonSchemaRules
from adapters.catalog_file.templates import JinjaTemplateRules
from adapters.models.prompts import JinjaPrompts
from adapters.models.sample import Sample
from adapters.security.schemas import JsonSchemas
from application.catalog.check import CheckCatalog
from application.catalog.section import KEY_RULE
from application.catalog.source import CatalogFaulty, CatalogUnreadable
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan
from domain.catalog.publication import Draft
from domain.credits import MICRO, ONE, Quantity

CHECK = CheckCatalog(TomlCatalogFiles(), JsonSchemaRules(), JinjaTemplateRules())
DRAFT: Draft = CHECK(SAMPLE)
PLANS = {f"{plan.product}/{plan.key}": plan for plan in DRAFT.plans}
FEATURES = {feature.key: feature for feature in DRAFT.features}


def written(folder: Path, content: bytes) -> Path:
    file = folder / "catalog.toml"
    file.write_bytes(content)
    return file


def refusal(file: Path) -> str:
    with pytest.raises(CatalogUnreadable) as caught:
        CHECK(file)
    return str(caught.value)


def test_a_file_that_is_not_there_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    assert refusal(file) == f"{file}: no such file or directory"


def test_a_folder_is_no_catalog(tmp_path: Path) -> None:
    assert refusal(tmp_path) == f"{tmp_path}: is a directory"


def test_a_file_in_another_encoding_is_no_catalog(tmp_path: Path) -> None:
    file = written(tmp_path, "a = 1\nb = 'é'".encode("latin-1"))
    assert refusal(file) == f"{file}: is not UTF-8, as TOML must be: see line 2"


def test_a_file_too_large_to_be_meant_is_not_read(tmp_path: Path) -> None:
    file = written(tmp_path, b"")
    with file.open("wb") as stream:
        stream.truncate(8 * 1024 * 1024 + 1)
    assert refusal(file) == f"{file}: is larger than 8388608 bytes"


def test_a_name_that_no_file_can_have_is_said_to_be() -> None:
    assert "null" in refusal(Path("a\0b"))


def test_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    assert CHECK(written(tmp_path, b"\xef\xbb\xbf" + SAMPLE.read_bytes())) == DRAFT


def test_line_endings_make_no_difference(tmp_path: Path) -> None:
    assert CHECK(written(tmp_path, SAMPLE.read_bytes().replace(b"\n", b"\r\n"))) == DRAFT


def test_an_empty_file_lacks_everything(tmp_path: Path) -> None:
    with pytest.raises(CatalogFaulty) as caught:
        CHECK(written(tmp_path, b""))
    assert [fault.message for fault in caught.value.faults] == ["features is missing", "products is missing"]


BROKEN = """\
currncy = "EUR"
[products.api]
name = "API"

[products.api.plans.free]
name = "Free"
price = 0
currency = "USD"
allocation = "1.0000001"
features = [
  "echo",
  "eco",
]
limts = { per_minute = 3 }

[products.api.plans.free]
name = "Twice"

[features.echo]
price = { per_call = "-1" }
model = "default"
max_output_tokens = 10
prompt = '''
Repeat:
{{ input.txt }}
{{ imput.text }}
'''
input.type = "object"
input.additionalProperties = false
input.properties.text = { type = "strng" }
output.type = "array"
units_from = "text

[features.Loud]
"""


NOT_AN_AMOUNT = "is not a decimal number such as 12.5, with at most"
FAULTS = """\
1: currncy: is not known here; known are features, products
7: products.api.plans.free.price: is an integer, but an amount must be a string, such as "12.5"
9: products.api.plans.free.allocation: '1.0000001' {NOT_AN_AMOUNT} 6 places
12: products.api.plans.free.features.1: there is no feature "eco"; did you mean "echo"?
14: products.api.plans.free.limts: is not known here; did you mean "limits"?
16: products.api.plans.free is defined twice: first on line 5
19: features.echo: name is missing
20: features.echo.price.per_call: '-1' {NOT_AN_AMOUNT} 12 places
25: features.echo.prompt: the input has no property "txt"; did you mean "text"?
26: features.echo.prompt: there is no variable "imput"; a prompt has only "input"
30: features.echo.input.properties.text.type: "strng" is not a type of JSON Schema; did you mean "string"?
31: features.echo.output: the schema must say type = "object"
32: not TOML: unterminated string
34: features.Loud: a key of a feature is {KEY_RULE}
34: features.Loud: input is missing
34: features.Loud: max_output_tokens is missing
34: features.Loud: model is missing
34: features.Loud: name is missing
34: features.Loud: output is missing
34: features.Loud: price is missing
34: features.Loud: prompt is missing
""".replace("{NOT_AN_AMOUNT}", NOT_AN_AMOUNT).replace("{KEY_RULE}", KEY_RULE)


def test_every_fault_of_every_kind_is_said_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path, BROKEN.encode())
    with pytest.raises(CatalogFaulty) as caught:
        CHECK(file)
    assert str(caught.value).replace(f"{file}:", "") + "\n" == FAULTS


def test_the_smallest_catalog_of_the_documentation_can_be_published(tmp_path: Path) -> None:
    documentation = (Path(__file__).parents[2] / "docs" / "catalog.md").read_text()
    example = documentation.partition("```toml\n")[2].partition("```")[0]
    assert [feature.key for feature in CHECK(written(tmp_path, example.encode())).features] == ["shorten"]


def test_the_sample_has_two_products_with_three_plans_each_one_of_them_free() -> None:
    assert [product.key for product in DRAFT.products] == ["api", "personal"]
    for product in ("api", "personal"):
        plans = [plan for plan in DRAFT.plans if plan.product == product]
        assert [plan.free for plan in plans] == [True, False, False]
        assert plans[0].allocation
        assert plans[0].per_minute
        assert plans[0].per_day


def test_the_largest_plan_of_the_sample_has_everything_and_no_limits() -> None:
    scale: Plan = PLANS["api/scale"]
    assert set(scale.tariffs) == set(FEATURES)
    assert (scale.per_minute, scale.per_day, scale.overdraft, scale.multiplier) == (None, None, 0, ONE)


def test_one_plan_of_the_sample_may_be_overdrawn() -> None:
    assert [name for name, plan in PLANS.items() if plan.overdraft] == ["api/team"]


def test_the_sample_has_the_features_that_the_documentation_names() -> None:
    expected = {"echo", "summarize", "extract_keywords", "match_job", "review_text", "classify"}
    assert expected <= FEATURES.keys()
    assert {feature.model for feature in DRAFT.features} == {"default"}


def test_a_summary_costs_one_to_three_credits() -> None:
    cost = FEATURES["summarize"].price.of(Quantity(input_tokens=1000, output_tokens=300), multiplier=ONE)
    assert MICRO <= cost <= 3 * MICRO


def test_echo_gives_back_what_it_is_given() -> None:
    echo = FEATURES["echo"]
    assert echo.input_schema["required"] == echo.output_schema["required"] == ["text"]


INPUTS: dict[str, dict[str, object]] = {
    "echo": {"text": "<b>Hi</b>"},
    "summarize": {"text": "A long story.", "sentences": 2, "language": "German"},
    "extract_keywords": {"text": "A long story.", "most": 4},
    "match_job": {
        "profile": "A baker.",
        "jobs": [{"id": "j1", "title": "Baker", "description": "Bakes."}],
    },
    "review_text": {"text": "Teh story.", "purpose": "a letter"},
    "classify": {"text": "My invoice is wrong.", "labels": ["billing", "other"]},
}


def required(feature: Feature) -> dict[str, object]:
    """Only what the input must have."""
    names = feature.input_schema["required"]
    assert isinstance(names, list)
    return {name: INPUTS[feature.key][name] for name in names}


@pytest.mark.parametrize("key", FEATURES)
def test_the_prompts_of_the_sample_hold_what_was_asked(key: str) -> None:
    feature, schemas = FEATURES[key], JsonSchemas()
    for document in (INPUTS[key], required(feature)):
        assert schemas.input_faults(feature, document) == ()
        prompt = JinjaPrompts().render(feature, document)
        for value in document.values():
            assert isinstance(value, list) or str(value) in prompt
        assert "JSON" in prompt
        assert "{{" not in prompt
        assert "{%" not in prompt


@pytest.mark.parametrize("key", FEATURES)
def test_the_schemas_of_the_sample_are_closed_and_can_be_satisfied(key: str) -> None:
    feature, schemas = FEATURES[key], JsonSchemas()
    assert schemas.input_faults(feature, {**INPUTS[key], "strange": 1})
    answer = Sample(feature.output_schema, "Some text.", 200).of(feature.output_schema)
    assert isinstance(answer, dict)
    assert set(answer) == set(feature.output_schema["required"])  # type: ignore[call-overload]
