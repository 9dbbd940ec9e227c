"""A catalog as a reader of files would give it, to be changed and checked."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from application.catalog.check import CheckCatalog
from application.catalog.ports import CatalogFiles, SchemaRules, TemplateFault, TemplateRead, TemplateRules
from application.catalog.source import CatalogFaulty, Document, Path
from domain.catalog.publication import Draft

FILE = PurePath("catalog.toml")
FEATURE: dict[str, Any] = {
    "name": "Echo",
    "price": {"per_call": "0.5"},
    "model": "default",
    "prompt": "{{ input.text }}",
    "max_output_tokens": 100,
    "input": {"type": "object", "properties": {"text": {}, "list": {"type": "array"}}},
    "output": {"type": "object"},
}
PLAN: dict[str, Any] = {
    "name": "Free",
    "price": "0",
    "currency": "USD",
    "allocation": "500",
    "features": ["echo"],
}
CATALOG: dict[str, Any] = {
    "products": {"api": {"name": "API", "plans": {"free": PLAN}}},
    "features": {"echo": FEATURE},
}
PLAN_AT = ("products", "api", "plans", "free")
FEATURE_AT = ("features", "echo")


@dataclass
class GivenFile(CatalogFiles):
    document: Document

    def read(self, file: PurePath) -> Document:
        return self.document


@dataclass
class GivenSchemaRules(SchemaRules):
    answers: list[tuple[Path, str]] = field(default_factory=list)

    def faults(self, schema: Mapping[str, object]) -> Iterable[tuple[Path, str]]:
        return self.answers if "properties" in schema else ()


@dataclass
class GivenTemplateRules(TemplateRules):
    answers: list[TemplateFault] = field(default_factory=list)
    asked: list[TemplateRead] = field(default_factory=list)

    def faults(self, source: str) -> Iterable[TemplateFault]:
        return self.answers

    def reads(self, source: str) -> Iterable[TemplateRead]:
        return self.asked


def changed(path: Path, value: object) -> dict[str, Any]:
    """The catalog with another value at ``path``; without one where that is ``...``."""
    catalog = deepcopy(CATALOG)
    *above, last = path
    table: Any = catalog
    for key in above:
        table = table.setdefault(key, {})
    if value is ...:
        del table[last]
    else:
        table[last] = value
    return catalog


def check(
    data: Mapping[str, object] = CATALOG,
    *,
    schemas: SchemaRules | None = None,
    templates: TemplateRules | None = None,
) -> Draft:
    rules = schemas or GivenSchemaRules(), templates or GivenTemplateRules()
    return CheckCatalog(GivenFile(Document(data=data)), *rules)(FILE)


def faults(
    data: Mapping[str, object],
    *,
    schemas: SchemaRules | None = None,
    templates: TemplateRules | None = None,
) -> list[str]:
    try:
        check(data, schemas=schemas, templates=templates)
    except CatalogFaulty as error:
        return [fault.message for fault in error.faults]
    return []
