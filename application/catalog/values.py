"""From TOML's values to JSON's, such as PostgreSQL stores."""

import math
from collections.abc import Iterator, Mapping
from typing import TypeAlias

from application.catalog.section import Section, kind
from application.catalog.source import Path
from domain.catalog.bounds import SCHEMA_DEPTH

_Fault: TypeAlias = tuple[Path, str]
_LARGEST = 2**63 - 1


def json_object(section: Section) -> dict[str, object] | None:
    """None, and faults reported, where something in it has no form in JSON."""
    faults = list(_faults(section.table, section.path, SCHEMA_DEPTH))
    for path, message in faults:
        section.report.add(path, message)
    return None if faults else {key: _plain(value) for key, value in section.table.items()}


def _faults(value: object, path: Path, depth: int) -> Iterator[_Fault]:
    match value:
        case Mapping() | list() if not depth:
            yield path, f"is nested more than {SCHEMA_DEPTH} deep"
        case Mapping():
            for key, each in value.items():
                yield from _text_faults(key, (*path, key))
                yield from _faults(each, (*path, key), depth - 1)
        case list():
            for at, each in enumerate(value):
                yield from _faults(each, (*path, at), depth - 1)
        case str():
            yield from _text_faults(value, path)
        case int() | float():
            if not math.isfinite(value) or (value == int(value) and abs(int(value)) > _LARGEST):
                yield path, "must be a finite number of at most 64 bits"
        case _:
            yield path, f"is {kind(value)}, which JSON does not know"


def _text_faults(text: str, path: Path) -> Iterator[_Fault]:
    if "\0" in text:
        yield path, "must not hold a NUL character"


def _plain(value: object) -> object:
    """A whole number is an int, so that it comes back from the database as it went in."""
    match value:
        case Mapping():
            return {key: _plain(each) for key, each in value.items()}
        case list():
            return [_plain(each) for each in value]
        case float() if value.is_integer():
            return int(value)
        case _:
            return value
