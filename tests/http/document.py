"""What the OpenAPI document says can be sent, and how to get it wrong."""

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import jsonschema_rs
import msgspec

from entrypoints.process import openapi_document

DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi_document())
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

LONG = "x" * 300
NUL, CONTROL, SURROGATE = "a\0b", "a\x1fb", "a\ud800b"
ODD: tuple[Any, ...] = (
    None, True, -1, 0, 1.5, 10**30, -(10**30), 2**63, 1e308, "", " ", "1", "nope", LONG, NUL, CONTROL,
    SURROGATE, [], [[]], {}, {"a": 1},
)  # fmt: skip


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        *_, name = schema["$ref"].split("/")
        schema = DOCUMENT["components"]["schemas"][name]
    return schema


@dataclass(frozen=True)
class Operation:
    method: str
    path: str
    spec: Mapping[str, Any] = field(repr=False)

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def scheme(self) -> str | None:
        """How the document names the credential that it asks for."""
        return next((name for each in self.spec.get("security", ()) for name in each), None)

    @property
    def statuses(self) -> set[int]:
        return {int(each) for each in self.spec["responses"]}

    def parameters(self, place: str) -> list[Mapping[str, Any]]:
        return [each for each in self.spec.get("parameters", ()) if each["in"] == place]

    @property
    def body(self) -> Mapping[str, Any] | None:
        given = self.spec.get("requestBody")
        return None if given is None else given["content"]["application/json"]["schema"]

    @cached_property
    def _validator(self) -> Any:  # noqa: ANN401 - the library's own
        return jsonschema_rs.validator_for({**(self.body or {}), "components": DOCUMENT["components"]})

    def allows(self, body: Any) -> bool:  # noqa: ANN401 - any JSON
        try:
            return bool(self._validator.is_valid(body))
        except ValueError:  # unpaired surrogates
            return False

    def example(self, good: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
        return None if self.body is None else _example(self.body, good)

    def wrong(self, right: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
        """``right`` with one thing wrong with it, in every way that the document forbids."""
        yield from (each for each in _mutants(right) if not self.allows(each))
        for at in _objects(right):
            changed = copy.deepcopy(right)
            _find(changed, at)["surprise"] = 1
            yield changed
        yield from (each for each in ODD if not isinstance(each, dict))


OPERATIONS = [
    Operation(method.upper(), path, spec)
    for path, item in DOCUMENT["paths"].items()
    for method, spec in item.items()
]


def _example(schema: Mapping[str, Any], good: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """A value of the schema, with the ``good`` values for properties of these names."""
    schema = resolved(schema)
    if "properties" in schema:
        names = [each for each in schema["properties"] if each in good or each in schema.get("required", ())]
        return {
            name: good[name] if name in good else _example(schema["properties"][name], good) for name in names
        }
    if "enum" in schema:
        return schema["enum"][0]
    if schema.get("type") == "integer":
        return int(schema.get("minimum", 0)) + 1
    raise ValueError(f"nobody said what is right for {schema}")


Pointer = tuple[str, ...]


def _find(value: Any, at: Pointer) -> Any:  # noqa: ANN401 - any JSON
    for name in at:
        value = value[name]
    return value


def _objects(value: Any, at: Pointer = ()) -> Iterator[Pointer]:  # noqa: ANN401 - any JSON
    """Where its objects are, but for what is a feature's own input."""
    if isinstance(value, dict) and at[-1:] != ("input",):
        yield at
        for name, inner in value.items():
            yield from _objects(inner, (*at, name))


def _mutants(value: Any) -> Iterator[Any]:  # noqa: ANN401 - any JSON
    for at in _objects(value):
        for name in _find(value, at):
            gone = copy.deepcopy(value)
            del _find(gone, at)[name]
            yield gone
            for odd in ODD:
                changed = copy.deepcopy(value)
                _find(changed, at)[name] = odd
                yield changed
