from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePath
from typing import Protocol

from application.catalog.source import Document, Path
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.catalog.publication import Change, Entry
from domain.ids import PlanRef


class Catalog(Protocol):
    """What is published. Raises DatabaseUnavailable where that is not at hand.

    Versions never change, so they may be kept for ever; what is newest may be one second old.
    """

    async def plan(self, ref: PlanRef) -> Plan:
        """Raises PlanMissing."""

    async def newest_plan(self, product: str, plan: str) -> Plan:
        """Raises PlanMissing, also for one that was retired."""

    async def feature(self, key: str) -> Feature:
        """The newest version. Raises FeatureMissing, also for one that was retired."""

    async def product(self, key: str, version: int) -> Product:
        """Raises ProductMissing."""

    async def products(self) -> tuple[Product, ...]:
        """The newest of each that is not retired, by key."""

    async def plans(self, product: str) -> tuple[Plan, ...]:
        """The newest of each that is not retired, the cheapest first; none where there is no such product."""

    async def features(self) -> tuple[Feature, ...]:
        """The newest of each that is not retired, by key."""

    def forget(self) -> None:
        """Something was published: the next look at what is newest is a fresh one."""


class CatalogEntries(Protocol):
    """What is published, for whoever publishes."""

    async def newest(self) -> tuple[Entry, ...]:
        """The newest version of everything, the retired too.

        Until the transaction ends, nobody else gets an answer to this.
        """

    async def apply(self, changes: Iterable[Change], *, at: datetime) -> None:
        """Write new versions, and mark or unmark what is retired or restored. Call ``newest`` first."""


class CatalogTx(Protocol):
    @property
    def catalog(self) -> CatalogEntries: ...


class CatalogFiles(Protocol):
    def read(self, file: PurePath) -> Document:
        """Raises CatalogUnreadable."""


class SchemaRules(Protocol):
    def faults(self, schema: Mapping[str, object]) -> Iterable[tuple[Path, str]]:
        """Why ``schema``, JSON values only, is not a JSON Schema of draft 2020-12 that can be used by itself.

        Each with the path, inside the schema, of what is wrong.
        """


@dataclass(frozen=True, slots=True)
class TemplateFault:
    """``line`` is one of the template, from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True)
class TemplateRead:
    """A property of ``input`` that a template asks for by name."""

    line: int
    name: str


class TemplateRules(Protocol):
    def faults(self, source: str) -> Iterable[TemplateFault]:
        """Why ``source`` cannot be rendered with nothing but ``input``."""

    def reads(self, source: str) -> Iterable[TemplateRead]:
        """None where the template cannot be parsed."""
