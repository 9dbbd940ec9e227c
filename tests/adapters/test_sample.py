"""The echo's answers satisfy the schemas that they are made for."""

import json
from collections.abc import Mapping
from typing import Any

import jsonschema_rs
import pytest

from adapters.models.echo import EchoModel
from adapters.models.sample import Sample
from domain.features.run import Call, Finish

TEXT = "The quick brown fox jumps over the lazy dog."


def integers(**bounds: object) -> dict[str, object]:
    return {"type": "array", "minItems": 3, "items": {"type": "integer", **bounds}}


SCHEMAS: dict[str, Any] = {
    "anything": {},
    "true": True,
    "null": {"type": "null"},
    "nullable": {"type": ["null", "string"]},
    "only_null": {"type": ["null"]},
    "boolean": {"type": "boolean"},
    "constant": {"const": {"a": 1}},
    "choice": {"enum": ["red", "green"]},
    "short": {"type": "string", "maxLength": 9},
    "empty": {"type": "string", "maxLength": 0},
    "long": {"type": "string", "minLength": 500},
    "day": {"type": "string", "format": "date"},
    "mail": {"type": "string", "format": "email"},
    "strange_format": {"type": "string", "format": "colour"},
    "score": {"type": "number", "minimum": 0, "maximum": 1},
    "above": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "below": {"type": "number", "maximum": -4},
    "far_below": {"type": "number", "exclusiveMaximum": -4},
    "below_one": {"type": "number", "exclusiveMaximum": 1},
    "multiple": {"type": "integer", "minimum": 7, "multipleOf": 5},
    "integer": {"type": "integer", "minimum": 0.5},
    "implied_number": {"minimum": 5},
    "implied_object": {"properties": {"a": {"type": "integer"}}},
    "implied_array": {"items": {"type": "integer"}, "minItems": 2},
    "integers": integers(),
    "unique_integers": {**integers(minimum=1, maximum=3), "uniqueItems": True},
    "unique_choices": {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
    "unique_strings": {
        "type": "array",
        "items": {"type": "string", "maxLength": 10},
        "minItems": 12,
        "uniqueItems": True,
    },
    "both_booleans": {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "uniqueItems": True},
    "one_value": {"type": "array", "items": {"type": "integer", "minimum": 1, "maximum": 1}, "minItems": 3},
    "no_items": {"type": "array", "maxItems": 0},
    "tuple": {"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": False},
    "closed": {
        "type": "object",
        "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
        "required": ["a"],
        "additionalProperties": False,
    },
    "required_elsewhere": {"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}},
    "reference": {
        "$ref": "#/$defs/a~1b",
        "$defs": {"a/b": {"type": "object", "properties": {"c": {"$ref": "#/$defs/d"}}}, "d": {"const": 3}},
    },
    "self": {
        "type": "object",
        "properties": {"name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": "#"}}},
        "required": ["name"],
    },
    "all": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
            {"properties": {"b": {"type": "boolean"}}, "required": ["b"]},
            True,
        ]
    },
    "any": {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]},
    "one": {"oneOf": [{"type": "integer", "minimum": 10}, {"type": "string"}]},
}


@pytest.mark.parametrize("name", SCHEMAS)
@pytest.mark.parametrize("text", ["", TEXT])
def test_a_sample_satisfies_its_schema(name: str, text: str) -> None:
    schema = SCHEMAS[name]
    root = schema if isinstance(schema, dict) else {}
    document = Sample(root, text, 200).of(schema)
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(document)


async def echoed(
    schema: Mapping[str, object], document: Mapping[str, object], most: int = 1000
) -> tuple[Any, Finish]:
    call = Call(
        feature="echo",
        document=document,
        prompt="Repeat it.",
        schema=json.dumps(schema),
        max_output_tokens=most,
        timeout=30,
    )
    completion = await EchoModel().complete(call)
    return json.loads(completion.text), completion.finish


async def test_the_echo_says_the_longest_text_of_the_input() -> None:
    schema = {"properties": {"said": {"type": "string"}}}
    document = {"tone": "dry", "parts": [{"body": TEXT}, 7]}
    assert await echoed(schema, document) == ({"said": TEXT}, Finish.COMPLETE)


async def test_without_a_text_the_echo_says_the_input_itself() -> None:
    assert await echoed({"type": "string"}, {"n": 1}) == ('{"n":1}', Finish.COMPLETE)


async def test_the_echo_says_less_where_it_may_not_say_all() -> None:
    answer, finish = await echoed(
        {"type": "array", "items": {"type": "string"}, "minItems": 2}, {"t": "ä" * 100}, 20
    )
    assert finish is Finish.COMPLETE
    assert 0 < len(answer[0]) < 40


async def test_the_echo_is_cut_off_where_the_form_alone_is_too_long() -> None:
    _, finish = await echoed({"const": "x" * 100}, {"text": "hello"}, 5)
    assert finish is Finish.CUT_OFF
