from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

import jsonschema_rs
import msgspec

from application.features.ports import Schemas
from domain.catalog.feature import Feature
from domain.features.errors import OutputInvalid
from domain.features.fault import Fault, pointer

MOST_FAULTS = 20
DEEPEST = 100
"""Levels of nesting. What is deeper is refused here, because writing it down would exhaust Python's stack."""

_LONGEST_TEXT = 300
_STEPS = 100_000
_WHOLE = Fault("", f"nested deeper than {DEEPEST} levels")


class MalformedSchema(ValueError):
    """A JSON Schema that is none, or that refers to something outside itself."""


@dataclass(frozen=True, slots=True)
class _Compiled:
    version: int
    input: jsonschema_rs.Draft202012Validator
    output: jsonschema_rs.Draft202012Validator
    output_text: str


class JsonSchemas(Schemas):
    """By jsonschema-rs. Patterns backtrack within bounds, nothing is fetched, no message holds a value."""

    def __init__(self) -> None:
        self._compiled: dict[str, _Compiled] = {}

    def input_faults(self, feature: Feature, document: object) -> tuple[Fault, ...]:
        return _faults(self._of(feature).input, document)

    def output_text(self, feature: Feature) -> str:
        return self._of(feature).output_text

    def read_output(self, feature: Feature, text: str) -> object:
        try:
            document = msgspec.json.decode(_unfenced(text))
        except (msgspec.DecodeError, RecursionError, UnicodeEncodeError) as error:
            raise OutputInvalid(path="", reason="it is not JSON") from error
        for fault in _faults(self._of(feature).output, document):
            raise OutputInvalid(path=fault.path, reason=fault.message)
        return document

    def _of(self, feature: Feature) -> _Compiled:
        compiled = self._compiled.get(feature.key)
        if compiled is None or compiled.version != feature.version:
            compiled = _Compiled(
                feature.version,
                compile_schema(feature.input_schema),
                compile_schema(feature.output_schema),
                msgspec.json.encode(feature.output_schema).decode(),
            )
            self._compiled[feature.key] = compiled
        return compiled


def compile_schema(schema: Mapping[str, object]) -> jsonschema_rs.Draft202012Validator:
    """Raises MalformedSchema."""
    try:
        return jsonschema_rs.Draft202012Validator(
            dict(schema),
            validate_formats=True,
            mask="the value",
            pattern_options=jsonschema_rs.FancyRegexOptions(backtrack_limit=_STEPS),
            offline=True,
        )
    except ValueError as error:
        raise MalformedSchema(str(error).split("\n", 1)[0]) from error


def _faults(validator: jsonschema_rs.Draft202012Validator, document: object) -> tuple[Fault, ...]:
    if _too_deep(document):
        return (_WHOLE,)
    if validator.is_valid(document):
        return ()
    return tuple(
        Fault(pointer(error.instance_path)[:_LONGEST_TEXT], error.message[:_LONGEST_TEXT])
        for error in islice(validator.iter_errors(document), MOST_FAULTS)
    )


def _too_deep(document: Any) -> bool:  # noqa: ANN401 - any JSON
    level = [document]
    for _ in range(DEEPEST):
        level = [
            child
            for each in level
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _unfenced(text: str) -> str:
    """Without the Markdown fence that some models put around JSON, whatever they are told."""
    text = text.strip()
    if text.startswith("```") and text.endswith("```") and "\n" in text:
        return text[text.index("\n") : -3]
    return text
