from collections.abc import Iterator, Mapping
from typing import TypeAlias

import jsonschema_rs

from application.catalog.ports import SchemaRules
from application.catalog.section import hint
from application.catalog.source import Path

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_HERE = "urn:cuebx:schema"
_META = jsonschema_rs.Draft202012Validator({"$ref": _DRAFT}, offline=True)
_TYPES = ("array", "boolean", "integer", "null", "number", "object", "string")

# https://json-schema.org/draft/2020-12, by where there are schemas in a keyword's value
# fmt: off
_ONE = frozenset({
    "additionalProperties", "contains", "contentSchema", "else", "if", "items", "not", "propertyNames",
    "then", "unevaluatedItems", "unevaluatedProperties",
})
_MANY = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})
_NAMED = frozenset({"$defs", "dependentSchemas", "patternProperties", "properties"})
_NONE = frozenset({
    "$anchor", "$comment", "$dynamicAnchor", "$dynamicRef", "$id", "$ref", "$schema", "$vocabulary", "const",
    "contentEncoding", "contentMediaType", "default", "dependentRequired", "deprecated", "description",
    "enum", "examples", "exclusiveMaximum", "exclusiveMinimum", "format", "maxContains", "maxItems",
    "maxLength", "maxProperties", "maximum", "minContains", "minItems", "minLength", "minProperties",
    "minimum", "multipleOf", "pattern", "readOnly", "required", "title", "type", "uniqueItems", "writeOnly",
})
# fmt: on
_KNOWN = _ONE | _MANY | _NAMED | _NONE


_Faults: TypeAlias = Iterator[tuple[Path, str]]


class JsonSchemaRules(SchemaRules):
    def faults(self, schema: Mapping[str, object]) -> _Faults:
        whole = dict(schema)
        found = [*_against_meta(whole), *_strange(whole)] or [*_dangling(whole)] or [*_uncompilable(whole)]
        yield from found


def _against_meta(schema: dict[str, object]) -> _Faults:
    for error in _META.iter_errors(schema):
        path, given = tuple(error.instance_path), error.instance
        if path[-1:] == ("type",) and isinstance(given, str):
            yield path, f'"{given}" is not a type of JSON Schema{hint(given, _TYPES)}'
        else:
            yield path, error.message


def _parts(schema: object, path: Path = ()) -> Iterator[tuple[Path, str, object]]:
    """The keywords, with their values, of ``schema`` and of the schemas in it."""
    if not isinstance(schema, Mapping):
        return
    for keyword, value in schema.items():
        here = (*path, keyword)
        yield here, keyword, value
        if keyword in _ONE:
            yield from _parts(value, here)
        elif keyword in _MANY and isinstance(value, list):
            for at, each in enumerate(value):
                yield from _parts(each, (*here, at))
        elif keyword in _NAMED and isinstance(value, Mapping):
            for name, each in value.items():
                yield from _parts(each, (*here, name))


def _strange(schema: Mapping[str, object]) -> _Faults:
    """What JSON Schema lets pass, and nobody means."""
    for path, keyword, value in _parts(schema):
        match keyword, value:
            case "$schema", str() if value.rstrip("#") != _DRAFT:
                yield path, f"must be {_DRAFT}, or left out"
            case "$id", _ if len(path) > 1:
                yield path, "can only stand at the top of the schema"
            case (("$ref" | "$dynamicRef"), str()) if not value.startswith("#"):
                yield path, "can only refer to what is in this schema"
            case "pattern", str() if not _is_pattern(value):
                yield path, f"{value!r} is not a regular expression"
            case "patternProperties", Mapping():
                for each in value:
                    if not _is_pattern(each):
                        yield (*path, each), f"{each!r} is not a regular expression"
            case _ if keyword not in _KNOWN and not keyword.startswith("x-"):
                yield path, f"is not a keyword of JSON Schema{hint(keyword, _KNOWN)}"
            case _:
                pass


def _is_pattern(pattern: str) -> bool:
    try:
        jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except jsonschema_rs.ValidationError:
        return False
    return True


def _dangling(schema: dict[str, object]) -> _Faults:
    """References, all of them inside the schema by now, to what is not there."""
    within = {keyword: value for keyword, value in schema.items() if keyword != "$id"}
    resolver = jsonschema_rs.Registry([(_HERE, within)]).resolver(_HERE)
    for path, keyword, value in _parts(schema):
        if keyword in ("$ref", "$dynamicRef"):
            try:
                resolver.lookup(str(value))
            except jsonschema_rs.ReferencingError:
                yield path, f'there is no "{value}" in the schema'


def _uncompilable(schema: dict[str, object]) -> _Faults:
    try:
        jsonschema_rs.Draft202012Validator(schema, offline=True)
    except jsonschema_rs.ValidationError as error:
        yield tuple(error.instance_path), error.message
