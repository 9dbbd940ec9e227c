"""Catalog rows: what is in them, and how a publication writes them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.faults import reaching
from adapters.postgres.listener import CATALOG_CHANGED
from adapters.postgres.records.catalog import CatalogEntryRecord as Record
from application.catalog.ports import CatalogEntries
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan
from domain.catalog.product import Product
from domain.catalog.publication import Change, Entry, Item, Kind, Name, Outcome

# It conflicts with itself and with no reader, and ends with the transaction, so a pooler may stand between.
_LOCK = sa.text(f"LOCK TABLE {Record.__tablename__} IN SHARE ROW EXCLUSIVE MODE")
HEAD = (
    sa.select(Record.kind, Record.key, Record.version, Record.retired_at)
    .ext(distinct_on(Record.kind, Record.key))
    .order_by(Record.kind, Record.key, Record.version.desc())
    .subquery()
)
ID = sa.tuple_(Record.kind, Record.key, Record.version)
_NEWEST = sa.select(Record.kind, Record.key, Record.version, Record.document, Record.retired_at).where(
    ID.in_(sa.select(HEAD.c.kind, HEAD.c.key, HEAD.c.version))
)


def plan_from(document: Mapping[str, Any], *, product: str, key: str, version: int) -> Plan:
    return msgspec.convert({**document, "product": product, "key": key, "version": version}, Plan)


def item_from(kind: str, key: str, version: int, document: Mapping[str, Any]) -> Item:
    """A row as the domain knows it. What is stored stays for ever: a field added later needs a default."""
    match Kind(kind):
        case Kind.PLAN:
            product, _, plan = key.partition("/")
            return plan_from(document, product=product, key=plan, version=version)
        case Kind.PRODUCT:
            return msgspec.convert({**document, "key": key, "version": version}, Product)
        case Kind.FEATURE:
            return msgspec.convert({**document, "key": key, "version": version}, Feature)


def document_of(item: Item) -> dict[str, Any]:
    """All that is not in the other columns of the row."""
    fields: dict[str, Any] = msgspec.to_builtins(item)
    return {name: value for name, value in fields.items() if name not in ("product", "key", "version")}


class SqlCatalogEntries(CatalogEntries):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def newest(self) -> tuple[Entry, ...]:
        with reaching():
            await self._session.execute(_LOCK)
            rows = (await self._session.execute(_NEWEST)).all()
        return tuple(
            Entry(item_from(kind, key, version, document), retired=retired_at is not None)
            for kind, key, version, document, retired_at in rows
        )

    async def apply(self, changes: Iterable[Change], *, at: datetime) -> None:
        by_outcome: dict[Outcome, list[Item]] = {outcome: [] for outcome in Outcome}
        for change in changes:
            by_outcome[change.outcome].append(change.item)
        with reaching():
            await self._write(by_outcome[Outcome.NEW] + by_outcome[Outcome.CHANGED], at)
            await self._retire(by_outcome[Outcome.RETIRED], at)
            await self._retire(by_outcome[Outcome.RESTORED], None)
        await self._session.execute(sa.select(sa.func.pg_notify(CATALOG_CHANGED, "")))

    async def _write(self, items: list[Item], at: datetime) -> None:
        if items:
            rows = [
                {
                    "kind": name.kind,
                    "key": name.key,
                    "version": item.version,
                    "document": document_of(item),
                    "published_at": at,
                }
                for item in items
                for name in (Name.of(item),)
            ]
            await self._session.execute(sa.insert(Record), rows)

    async def _retire(self, items: list[Item], at: datetime | None) -> None:
        if items:
            ids = [(name.kind, name.key, item.version) for item in items for name in (Name.of(item),)]
            await self._session.execute(sa.update(Record).where(ID.in_(ids)).values(retired_at=at))
