"""What is published, as every request asks for it."""

import time
from asyncio import Lock
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.caching import AgeingCache
from adapters.postgres.catalog import HEAD, ID, item_from, plan_from
from adapters.postgres.faults import reaching
from adapters.postgres.records.catalog import CatalogEntryRecord as Record
from application.catalog.ports import Catalog
from domain.catalog.errors import FeatureMissing, PlanMissing, ProductMissing
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.catalog.publication import Item, Kind
from domain.ids import PlanRef

_Id: TypeAlias = tuple[str, str, int]
_MAX_AGE = 1.0  # seconds
_FOR_EVER = float("inf")
_NEVER = float("-inf")

_ON_SALE = sa.select(HEAD.c.kind, HEAD.c.key, HEAD.c.version).where(HEAD.c.retired_at.is_(None))
_DOCUMENT = sa.select(Record.document)
_ROWS = sa.select(Record.kind, Record.key, Record.version, Record.document)


@dataclass(frozen=True, slots=True)
class _Newest:
    """What is on sale, as read at ``at``."""

    at: float = _NEVER
    items: Mapping[_Id, Item] = field(default_factory=dict)
    products: Mapping[str, Product] = field(default_factory=dict)
    plans: Mapping[tuple[str, str], Plan] = field(default_factory=dict)
    features: Mapping[str, Feature] = field(default_factory=dict)

    @classmethod
    def of(cls, items: Mapping[_Id, Item], at: float) -> "_Newest":
        each = [items[id] for id in sorted(items)]
        return cls(
            at=at,
            items=items,
            products={item.key: item for item in each if isinstance(item, Product)},
            plans={(item.product, item.key): item for item in each if isinstance(item, Plan)},
            features={item.key: item for item in each if isinstance(item, Feature)},
        )


class SqlCatalog(Catalog):
    """Reads each version once, and keeps ``plans`` of the plans' versions at most.

    What is newest is asked again when the answer is a second old, by one question for all who wait.
    """

    def __init__(
        self,
        sessions: async_sessionmaker[AsyncSession],
        *,
        monotonic: Callable[[], float] = time.monotonic,
        plans: int = 4096,
    ) -> None:
        self._sessions = sessions
        self._monotonic = monotonic
        self._refreshing = Lock()
        self._newest = _Newest()
        self._forgotten = 0
        self._plans = AgeingCache(self._read_plan, monotonic, age=_FOR_EVER, size=plans)

    async def plan(self, ref: PlanRef) -> Plan:
        plan = self._plans.peek(ref) or await self._plans.get(ref)
        if plan is None:
            raise PlanMissing(ref.product, ref.plan, ref.version)
        return plan

    async def newest_plan(self, product: str, plan: str) -> Plan:
        found = (await self._on_sale()).plans.get((product, plan))
        if found is None:
            raise PlanMissing(product, plan)
        return found

    async def feature(self, key: str) -> Feature:
        found = (await self._on_sale()).features.get(key)
        if found is None:
            raise FeatureMissing(key)
        return found

    async def product(self, key: str, version: int) -> Product:
        on_sale = (await self._on_sale()).products.get(key)
        if on_sale is not None and on_sale.version == version:
            return on_sale
        with reaching():
            async with self._sessions() as session:
                found = await _documents(session, [(Kind.PRODUCT, key, version)])
        for item in found.values():
            if isinstance(item, Product):
                return item
        raise ProductMissing(key, version)

    async def products(self) -> tuple[Product, ...]:
        return tuple((await self._on_sale()).products.values())

    async def plans(self, product: str) -> tuple[Plan, ...]:
        plans = (await self._on_sale()).plans.values()
        return tuple(sorted((each for each in plans if each.product == product), key=lambda each: each.price))

    async def features(self) -> tuple[Feature, ...]:
        return tuple((await self._on_sale()).features.values())

    def forget(self) -> None:
        self._forgotten += 1
        self._newest = _Newest(items=self._newest.items)

    async def _read_plan(self, ref: PlanRef) -> Plan | None:
        row = (Kind.PLAN, f"{ref.product}/{ref.plan}", ref.version)
        with reaching():
            async with self._sessions() as session:
                document = await session.scalar(_DOCUMENT.where(ID.in_([row])))
        if document is None:
            return None
        return plan_from(document, product=ref.product, key=ref.plan, version=ref.version)

    async def _on_sale(self) -> _Newest:
        if self._fresh():
            return self._newest
        async with self._refreshing:  # whoever is cancelled in here leaves the work to the next
            if not self._fresh():
                await self._refresh()
        return self._newest

    def _fresh(self) -> bool:
        return self._monotonic() - self._newest.at < _MAX_AGE

    async def _refresh(self) -> None:
        forgotten, at = self._forgotten, self._monotonic()
        known = self._newest.items
        with reaching():
            async with self._sessions() as session:
                ids = {(kind, key, version) for kind, key, version in await session.execute(_ON_SALE)}
                items = {id: known[id] for id in ids & known.keys()}
                items |= await _documents(session, ids - known.keys())
        self._newest = _Newest.of(items, at if forgotten == self._forgotten else _NEVER)


async def _documents(session: AsyncSession, ids: Collection[_Id]) -> dict[_Id, Item]:
    if not ids:
        return {}
    rows = await session.execute(_ROWS.where(ID.in_(ids)))
    return {
        (kind, key, version): item_from(kind, key, version, document) for kind, key, version, document in rows
    }
