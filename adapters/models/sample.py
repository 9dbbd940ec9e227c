"""A JSON document that satisfies a schema, without a model."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

_FORMATS = {
    "date": "2000-01-01",
    "date-time": "2000-01-01T00:00:00Z",
    "duration": "P1D",
    "email": "echo@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "time": "00:00:00Z",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-0000-0000-000000000000",
}
_TELLING = {  # keywords that tell the type where none is written
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "prefixItems", "minItems"),
    "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
}
_WIDE = 4  # levels down to which optional properties are filled in: a schema may refer to itself
_DEEP = 40


@dataclass(frozen=True, slots=True)
class Sample:
    """Strings are ``text``, cut to ``longest`` characters. Everything else is the least that is allowed.

    Knows every keyword but ``pattern``, ``not``, ``if`` and ``contains``; of several alternatives it takes
    the first. ``root`` is the document that a schema's references are looked up in.
    """

    root: Mapping[str, Any]
    text: str
    longest: int

    def of(self, schema: Any, nth: int = 0, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
        """The ``nth`` document: they differ as far as the schema lets them."""
        schema = self._flat(schema)
        choices = [schema["const"]] if "const" in schema else schema.get("enum")
        if choices:
            return choices[nth % len(choices)]
        makers: dict[str, Callable[[], object]] = {
            "object": lambda: self._object(schema, depth),
            "array": lambda: self._array(schema, depth),
            "integer": lambda: math.ceil(_number(schema, nth)),
            "number": lambda: _number(schema, nth),
            "boolean": lambda: nth % 2 == 1,
            "null": lambda: None,
            "string": lambda: self._string(schema, nth),
        }
        return makers[_type(schema)]()

    def _flat(self, schema: Any) -> dict[str, Any]:  # noqa: ANN401 - a schema is an object or a boolean
        """With what it refers to, all of its allOf and the first of its alternatives drawn in."""
        flat: dict[str, Any] = dict(schema) if isinstance(schema, Mapping) else {}
        for _ in range(_DEEP):
            drawn = []
            if "$ref" in flat:
                drawn.append(self._referred(flat.pop("$ref")))
            drawn.extend(flat.pop("allOf", ()))
            for alternatives in ("anyOf", "oneOf"):
                drawn.extend(flat.pop(alternatives, ())[:1])
            if not drawn:
                break
            for each in drawn:
                flat = _both(flat, each)
        return flat

    def _referred(self, reference: str) -> Any:  # noqa: ANN401 - a schema
        found: Any = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            found = found[step.replace("~1", "/").replace("~0", "~")]
        return found

    def _object(self, schema: dict[str, Any], depth: int) -> dict[str, Any]:
        properties = schema.get("properties", {})
        required = schema.get("required", ())
        names = dict.fromkeys((*(properties if depth < _WIDE else ()), *required))
        other = schema.get("additionalProperties", True)
        return {name: self.of(properties.get(name, other), 0, depth + 1) for name in names}

    def _array(self, schema: dict[str, Any], depth: int) -> list[Any]:
        first = schema.get("prefixItems", ())
        most = schema.get("maxItems", math.inf)
        least = max(schema.get("minItems", 0), len(first), 1 if depth < _WIDE else 0)
        items = schema.get("items", True)
        return [
            self.of(first[at] if at < len(first) else items, at, depth + 1) for at in range(min(least, most))
        ]

    def _string(self, schema: dict[str, Any], nth: int) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        suffix = f" {nth + 1}" if nth else ""
        most = min(schema.get("maxLength", self.longest), self.longest)
        least = schema.get("minLength", 0)
        most = max(most, least)
        text = self.text[: max(0, most - len(suffix))] + suffix
        return text.ljust(least, ".")[:most]


def _type(schema: dict[str, Any]) -> str:
    named = schema.get("type")
    if isinstance(named, str):
        return named
    if named:
        return next((each for each in named if each != "null"), "null")
    return next((type_ for type_, keys in _TELLING.items() if any(key in schema for key in keys)), "string")


def _number(schema: dict[str, Any], nth: int) -> float:
    step = schema.get("multipleOf", 1)
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    low = schema.get("minimum", -math.inf) if above is None else above
    high = schema.get("maximum", math.inf) if below is None else below
    if low == -math.inf:
        low = min(0, high) if below is None or high > 0 else high - step
    number = math.ceil(low / step) * step if "multipleOf" in schema else low
    if above is not None and number <= above:
        number += step
    if number > high or (below is not None and number >= high):
        number = (low + high) / 2
    further: float = number + nth * step
    return further if further < high or (further == high and below is None) else number


def _both(one: dict[str, Any], other: Any) -> dict[str, Any]:  # noqa: ANN401 - a schema
    if not isinstance(other, Mapping):
        return one
    merged = {**other, **one}
    for key in ("properties", "required"):
        if key in one and key in other:
            merged[key] = {**other[key], **one[key]} if key == "properties" else [*other[key], *one[key]]
    return merged
