"""What makes a schema or a prompt usable."""

from typing import Any

import pytest

from adapters.catalog_file.schemas import JsonSchemaRules
from adapters.catalog_file.templates import JinjaTemplateRules
from application.catalog.ports import TemplateFault, TemplateRead

SCHEMAS = JsonSchemaRules()
TEMPLATES = JinjaTemplateRules()


def told(schema: dict[str, Any]) -> dict[str, str]:
    return {"/".join(map(str, path)): message for path, message in SCHEMAS.faults(schema)}


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://example.com/a"},
        {"properties": {"$id": {"type": "string"}, "tpye": {"type": ["string", "null"]}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#b"}, "c": {"$anchor": "b"}}},
        {"pattern": "^(?<=a)b{1,3}$", "patternProperties": {"^x": True}, "x-note": "ours"},
        {"items": False, "allOf": [True, {"not": {"required": ["a"]}}]},
    ],
)
def test_a_schema_that_is_in_order_has_no_faults(schema: dict[str, Any]) -> None:
    assert told(schema) == {}


@pytest.mark.parametrize(
    ("schema", "path", "message"),
    [
        ({"type": "objct"}, "type", '"objct" is not a type of JSON Schema; did you mean "object"?'),
        (
            {"properties": {"a": {"minLength": -1}}},
            "properties/a/minLength",
            "-1 is less than the minimum of 0",
        ),
        ({"required": "a"}, "required", '"a" is not of type "array"'),
        ({"tpye": 1}, "tpye", 'is not a keyword of JSON Schema; did you mean "type"?'),
        (
            {"anyOf": [{}, {"then": {"minimun": 1}}]},
            "anyOf/1/then/minimun",
            'is not a keyword of JSON Schema; did you mean "minimum"?',
        ),
        (
            {"properties": {"a": {"pattern": "(("}}},
            "properties/a/pattern",
            "'((' is not a regular expression",
        ),
        ({"patternProperties": {"((": {}}}, "patternProperties/((", "'((' is not a regular expression"),
        (
            {"$schema": "http://json-schema.org/draft-07/schema#"},
            "$schema",
            "must be https://json-schema.org/draft/2020-12/schema, or left out",
        ),
        ({"items": {"$id": "urn:a"}}, "items/$id", "can only stand at the top of the schema"),
        (
            {"items": {"$ref": "https://example.com"}},
            "items/$ref",
            "can only refer to what is in this schema",
        ),
        ({"items": {"$ref": "#/$defs/a"}}, "items/$ref", 'there is no "#/$defs/a" in the schema'),
        ({"$dynamicRef": "#a"}, "$dynamicRef", 'there is no "#a" in the schema'),
        ({"$id": "::"}, "", "Invalid URI reference '::': unexpected character at index 0"),
    ],
)
def test_a_fault_of_a_schema_is_said_where_it_is(schema: dict[str, Any], path: str, message: str) -> None:
    assert told(schema) == {path: message}


def test_every_fault_of_a_schema_is_said_at_once() -> None:
    assert told({"type": 1, "maxItems": "x", "tite": "", "pattern": "("}).keys() == {
        "type",
        "maxItems",
        "tite",
        "pattern",
    }


def test_every_reference_that_leads_nowhere_is_said() -> None:
    assert told({"items": {"$ref": "#/a"}, "not": {"$ref": "#b"}}).keys() == {"items/$ref", "not/$ref"}


@pytest.mark.parametrize(
    "source",
    [
        "",
        "{{ input.text }}",
        "{% for each in input.jobs %}{{ loop.index }}{{ each.title | upper }}{% endfor %}{{ range(3) }}",
        "{% set a = input %}{{ a }}{% raw %}{{ b }}{% endraw %}",
        '{"keywords": [{"keyword": "x"}]}',
    ],
)
def test_a_template_that_is_in_order_has_no_faults(source: str) -> None:
    assert list(TEMPLATES.faults(source)) == []


@pytest.mark.parametrize(
    ("source", "line", "message"),
    [
        ("a\n{{ imput.text }}", 2, 'there is no variable "imput"; a prompt has only "input"'),
        ("{% if %}", 1, "not a Jinja2 template: Expected an expression, got 'end of statement block'"),
        ("\n\n{{ input.a | shout }}", 3, "not a Jinja2 template: No filter named 'shout'."),
        ("\n{% include 'a' %}", 2, "a prompt cannot use other templates"),
        ("{% extends 'a' %}", 1, "a prompt cannot use other templates"),
        ("{{" + "(" * 9000, 1, "not a Jinja2 template: nested too deeply"),
    ],
)
def test_a_fault_of_a_template_is_said_with_its_line(source: str, line: int, message: str) -> None:
    assert list(TEMPLATES.faults(source)) == [TemplateFault(line, message)]


def test_what_a_template_asks_for_is_known() -> None:
    source = (
        "{{ input.a }}\n{{ input['b'].c }}{{ input.items() }}{{ input.items }}{{ input[0] }}{{ other.d }}"
    )
    assert set(TEMPLATES.reads(source)) == {
        TemplateRead(1, "a"),
        TemplateRead(2, "b"),
        TemplateRead(2, "items"),
    }


def test_a_template_that_cannot_be_parsed_asks_for_nothing() -> None:
    assert list(TEMPLATES.reads("{{ input.a")) == []
