import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from application.catalog.ports import Catalog, CatalogEntries
from domain.catalog.errors import FeatureMissing, PlanMissing, ProductMissing
from domain.catalog.feature import Feature, OnTimeout
from domain.catalog.plan import Plan, Tariff
from domain.catalog.product import Product
from domain.catalog.publication import Change, Entry, Item, Kind, Name, Outcome
from domain.credits import MICRO, ONE, PICO, Price
from domain.ids import PlanRef

FEATURE = Feature(
    key="summarize",
    version=1,
    price_version=1,
    name="Summarize",
    description="Says in a few sentences what a text says.",
    price=Price(per_call=PICO, per_input_token=PICO // 1000),
    model="default",
    prompt="Summarize: {{ input.text }}",
    max_output_tokens=1024,
    timeout=60,
    units_from=None,
    on_timeout=OnTimeout.RELEASE,
    input_schema={"type": "object", "properties": {"text": {"type": "string"}}},
    output_schema={"type": "object", "properties": {"summary": {"type": "string"}}},
)
PLAN = Plan(
    product="api",
    key="free",
    version=1,
    name="Free",
    description="To try it.",
    price=0,
    currency="USD",
    seats=1,
    allocation=500 * MICRO,
    overdraft=0,
    multiplier=ONE,
    per_minute=10,
    per_day=None,
    tariffs={FEATURE.key: Tariff.of(FEATURE)},
)
PRODUCT = Product(key="api", version=1, name="API", description="For teams.")


def plan_of(*features: Feature, key: str = "free", product: str = "api") -> Plan:
    tariffs = {feature.key: Tariff.of(feature) for feature in features}
    return replace(PLAN, product=product, key=key, tariffs=tariffs)


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

    async def product(self, key: str, version: int) -> Product:
        row = self.rows.get((Name(Kind.PRODUCT, key), version))
        if row is None or not isinstance(row.item, Product):
            raise ProductMissing(key, version)
        return row.item

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
