import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.catalog.ports import Catalog, CatalogEntries
from domain.catalog.errors import FeatureMissing, PlanMissing
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.catalog.publication import Change, Entry, Item, Kind, Name, Outcome
from domain.ids import PlanRef


@dataclass(frozen=True)
class Row:
    item: Item
    published_at: datetime
    retired_at: datetime | None = None


Rows = dict[tuple[Name, int], Row]


def newest(rows: Rows) -> list[Row]:
    return list({name: rows[name, version] for name, version in sorted(rows, key=lambda id: id[1])}.values())


@dataclass
class FakeCatalogEntries(CatalogEntries):
    rows: Rows

    async def newest(self) -> tuple[Entry, ...]:
        return tuple(Entry(row.item, retired=row.retired_at is not None) for row in newest(self.rows))

    async def apply(self, changes: Iterable[Change], *, at: datetime) -> None:
        for change in changes:
            id = (Name.of(change.item), change.item.version)
            match change.outcome:
                case Outcome.NEW | Outcome.CHANGED:
                    self.rows[id] = Row(change.item, at)
                case Outcome.RETIRED:
                    self.rows[id] = replace(self.rows[id], retired_at=at)
                case Outcome.RESTORED:
                    self.rows[id] = replace(self.rows[id], retired_at=None)
                case Outcome.UNCHANGED:
                    pass


@dataclass
class FakeCatalog(Catalog):
    """Reads ``rows``, or what was put in by ``of``."""

    rows: Rows = field(default_factory=dict)
    forgotten: int = 0

    @classmethod
    def of(cls, *items: Item, at: datetime) -> "FakeCatalog":
        return cls({(Name.of(item), item.version): Row(item, at) for item in items})

    def _on_sale(self) -> list[Item]:
        return [row.item for row in newest(self.rows) if row.retired_at is None]

    async def plan(self, ref: PlanRef) -> Plan:
        row = self.rows.get((Name(Kind.PLAN, f"{ref.product}/{ref.plan}"), ref.version))
        if row is None or not isinstance(row.item, Plan):
            raise PlanMissing(ref.product, ref.plan, ref.version)
        return row.item

    async def newest_plan(self, product: str, plan: str) -> Plan:
        for each in await self.plans(product):
            if each.key == plan:
                return each
        raise PlanMissing(product, plan)

    async def feature(self, key: str) -> Feature:
        for each in await self.features():
            if each.key == key:
                return each
        raise FeatureMissing(key)

    async def products(self) -> tuple[Product, ...]:
        found = [item for item in self._on_sale() if isinstance(item, Product)]
        return tuple(sorted(found, key=lambda item: item.key))

    async def plans(self, product: str) -> tuple[Plan, ...]:
        found = [item for item in self._on_sale() if isinstance(item, Plan) and item.product == product]
        return tuple(sorted(found, key=lambda item: (item.price, item.key)))

    async def features(self) -> tuple[Feature, ...]:
        found = [item for item in self._on_sale() if isinstance(item, Feature)]
        return tuple(sorted(found, key=lambda item: item.key))

    def forget(self) -> None:
        self.forgotten += 1


@dataclass
class FakeCatalogTx:
    catalog: FakeCatalogEntries


@dataclass
class FakeCatalogWork:
    """One transaction at a time, on a copy that becomes the state when the block ends well."""

    store: FakeCatalog = field(default_factory=FakeCatalog)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[FakeCatalogTx]:
        async with self._turn:
            tx = FakeCatalogTx(FakeCatalogEntries(dict(self.store.rows)))
            yield tx
            self.store.rows = tx.catalog.rows
