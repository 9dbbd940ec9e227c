import json

import pytest

from adapters.security.schemas import DEEPEST, MOST_FAULTS, JsonSchemas, MalformedSchema, compile_schema
from domain.features.errors import OutputInvalid
from domain.features.fault import Fault
from tests.fakes.features import a_feature


@pytest.fixture
def schemas() -> JsonSchemas:
    return JsonSchemas()


def test_what_fits_has_no_fault(schemas: JsonSchemas) -> None:
    assert schemas.input_faults(a_feature(), {"text": "hello"}) == ()


def test_each_fault_is_told_with_its_place_and_without_its_value(schemas: JsonSchemas) -> None:
    feature = a_feature(
        input_schema={
            "type": "object",
            "properties": {
                "a/b": {"type": "array", "items": {"type": "integer"}},
                "mail": {"type": "string", "format": "email"},
                "code": {"type": "string", "pattern": "^[a-z]+$"},
            },
            "required": ["gone"],
        }
    )
    faults = schemas.input_faults(feature, {"a/b": [1, "secret"], "mail": "secret", "code": "SECRET 1"})
    assert set(faults) == {
        Fault("/a~1b/1", 'the value is not of type "integer"'),
        Fault("/mail", 'the value is not a "email"'),
        Fault("/code", 'the value does not match "^[a-z]+$"'),
        Fault("", '"gone" is a required property'),
    }


def test_faults_are_few_and_short(schemas: JsonSchemas) -> None:
    feature = a_feature(input_schema={"additionalProperties": {"type": "string"}})
    faults = schemas.input_faults(feature, {"k" * 1000 + str(at): at for at in range(100)})
    assert len(faults) == MOST_FAULTS
    assert all(len(fault.path) <= 300 and len(fault.message) <= 300 for fault in faults)


def nested(levels: int) -> object:
    document: object = 1
    for level in range(levels):
        document = [document] if level % 2 else {"a": document}
    return document


def test_what_is_nested_too_deeply_is_refused(schemas: JsonSchemas) -> None:
    feature = a_feature(input_schema={})
    assert schemas.input_faults(feature, nested(DEEPEST)) == ()
    (fault,) = schemas.input_faults(feature, nested(DEEPEST + 1))
    assert fault.path == ""
    assert schemas.input_faults(feature, nested(900)) == (fault,)


def test_a_pattern_that_backtracks_for_ever_is_a_fault(schemas: JsonSchemas) -> None:
    feature = a_feature(
        input_schema={"properties": {"text": {"pattern": r"^(?=(a+)+$)(a|aa)+\1$"}}},
    )
    assert schemas.input_faults(feature, {"text": "a" * 60 + "b"})


def test_the_newest_version_is_what_counts(schemas: JsonSchemas) -> None:
    assert schemas.input_faults(a_feature(), {"text": "hello"}) == ()
    newer = a_feature(version=2, input_schema={"maxProperties": 0})
    assert schemas.input_faults(newer, {"text": "hello"})


def test_the_output_schema_is_told_as_json(schemas: JsonSchemas) -> None:
    feature = a_feature()
    assert json.loads(schemas.output_text(feature)) == feature.output_schema


@pytest.mark.parametrize(
    "text",
    ['{"text": "hi"}', ' \n{"text": "hi"}\n', '```json\n{"text": "hi"}\n```', '```\n{"text": "hi"}\n```\n'],
)
def test_output_is_read_with_what_models_put_around_it(schemas: JsonSchemas, text: str) -> None:
    assert schemas.read_output(a_feature(), text) == {"text": "hi"}


@pytest.mark.parametrize("text", ["", "hello", '{"text": "hi"', "```{}```", '{"text": NaN}', "[" * 50_000])
def test_output_that_is_no_json_is_invalid(schemas: JsonSchemas, text: str) -> None:
    with pytest.raises(OutputInvalid) as fault:
        schemas.read_output(a_feature(), text)
    assert fault.value.reason == "it is not JSON"


@pytest.mark.parametrize(
    ("text", "path"), [('{"text": 3}', "/text"), ("[]", ""), ("[" * 500 + "]" * 500, "")]
)
def test_output_that_breaks_the_schema_is_invalid(schemas: JsonSchemas, text: str, path: str) -> None:
    with pytest.raises(OutputInvalid) as fault:
        schemas.read_output(a_feature(), text)
    assert fault.value.path == path


@pytest.mark.parametrize(
    "schema",
    [{"type": "strnig"}, {"$ref": "http://127.0.0.1:1/schema"}, {"pattern": "("}, {"$ref": "#/none"}],
)
def test_a_schema_that_is_none_is_told_as_such(schema: dict[str, object]) -> None:
    with pytest.raises(MalformedSchema) as fault:
        compile_schema(schema)
    assert "\n" not in str(fault.value)
