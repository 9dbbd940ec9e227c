from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.base import table
from adapters.postgres.books import read_books
from adapters.postgres.driver import driver_of, look_ups
from adapters.postgres.entries import NO_KEY
from adapters.postgres.faults import reaching
from adapters.postgres.records import ReservationRecord, UsageHourRecord, UsageRecordRecord
from adapters.postgres.terms import SqlTerms
from application.ports import NewId
from application.usage.ports import By, Place, UsageGroup, UsageReader
from domain.credits import Quantity
from domain.ids import AccountId, KeyId, ReservationId
from domain.usage.balance import Balance
from domain.usage.desk import Desk
from domain.usage.errors import AccountMissing, ReservationMissing
from domain.usage.lot import Part
from domain.usage.record import Sums, UsageRecord
from domain.usage.reservation import Reservation, State
from domain.usage.terms import Rate

_hour = table(UsageHourRecord)
_record = table(UsageRecordRecord)
_reservation = table(ReservationRecord)
_SUMS = ("calls", "input_tokens", "output_tokens", "units", "charged", "uncollected")
_PARTS: dict[By, sa.ColumnElement[Any]] = {
    By.DAY: sa.func.date_trunc("day", _hour.c.hour, "UTC"),
    By.HOUR: _hour.c.hour,
    By.FEATURE: _hour.c.feature,
    By.KEY: _hour.c.key_id,
}


@dataclass(frozen=True, slots=True)
class _Look:
    """Names what must be loaded, as a command does."""

    account: AccountId
    reservation: ReservationId | None = None
    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()


class SqlUsageReader(UsageReader):
    def __init__(self, engine: AsyncEngine, terms: SqlTerms, new_id: NewId) -> None:
        self._engine = engine
        self._terms = terms
        self._new_id = new_id

    async def balance(self, account: AccountId) -> Balance:
        desk, now = await self._lay_out(_Look(account))
        return Balance.of(desk, now)

    async def reservation(self, account: AccountId, id: ReservationId) -> Reservation:
        try:
            desk, now = await self._lay_out(_Look(account, id))
        except AccountMissing:
            raise ReservationMissing from None
        desk.open(now)
        if id not in desk.reservations:
            raise ReservationMissing
        return desk.reservations[id]

    async def unstarted(self, account: AccountId, *, limit: int) -> Sequence[ReservationId]:
        wanted = (
            sa.select(_reservation.c.id)
            .where(
                _reservation.c.account_id == account,
                _reservation.c.state == State.HELD,
                _reservation.c.expires_at > sa.func.statement_timestamp(),
            )
            .order_by(_reservation.c.expires_at, _reservation.c.id)
            .limit(limit)
        )
        with reaching():
            async with self._engine.connect() as connection:
                return [ReservationId(each) for each in await connection.scalars(wanted)]

    async def sums(
        self, account: AccountId, start: datetime, end: datetime, by: frozenset[By]
    ) -> Sequence[UsageGroup]:
        parts = {part: _PARTS[part] for part in By if part in by}
        statement = (
            sa.select(
                *(column.label(f"by_{part}") for part, column in parts.items()),
                *(sa.cast(sa.func.sum(_hour.c[name]), sa.BigInteger).label(name) for name in _SUMS),
            )
            .where(_hour.c.account_id == account, _hour.c.hour >= start, _hour.c.hour < end)
            .group_by(*parts.values())
            .order_by(*parts.values())
            .having(sa.func.count() > 0)
        )
        with reaching():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).mappings().all()
        return [_group(row) for row in rows]

    async def records(
        self, account: AccountId, start: datetime, end: datetime, *, after: Place | None, limit: int
    ) -> Sequence[UsageRecord]:
        statement = (
            sa.select(_record)
            .where(
                _record.c.account_id == account, _record.c.recorded_at >= start, _record.c.recorded_at < end
            )
            .order_by(_record.c.recorded_at.desc(), _record.c.id.desc())
            .limit(limit)
        )
        if after is not None:
            place = sa.tuple_(sa.literal(after.recorded_at), sa.literal(after.id))
            statement = statement.where(sa.tuple_(_record.c.recorded_at, _record.c.id) < place)
        with reaching():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(statement)).all()
        return [_usage_record(row) for row in rows]

    async def _lay_out(self, look: _Look) -> tuple[Desk, datetime]:
        with reaching():
            async with driver_of(self._engine) as driver, look_ups(driver):
                books = await read_books(driver, [look.account], [look])
                if not books.accounts:
                    raise AccountMissing
                [account] = books.accounts
                terms = await self._terms.of(account.plan, driver)
        desk = Desk(account=account, terms=terms, new_id=self._new_id)
        desk.lay(books.lots, books.reservations, books.limits)
        return desk, books.now


def _group(row: Any) -> UsageGroup:  # noqa: ANN401 - a row mapping
    key = row.get("by_key")
    return UsageGroup(
        day=row.get("by_day"),
        hour=row.get("by_hour"),
        feature=row.get("by_feature"),
        key=None if key in {None, NO_KEY} else KeyId(key),
        sums=Sums(**{name: row[name] for name in _SUMS}),
    )


def _usage_record(row: Any) -> UsageRecord:  # noqa: ANN401 - a row of usage_record
    return UsageRecord(
        account=AccountId(row.account_id),
        id=ReservationId(row.id),
        recorded_at=row.recorded_at,
        key=None if row.key_id is None else KeyId(row.key_id),
        feature=row.feature,
        rate=msgspec.convert(row.rate, Rate),
        test=row.test,
        usage=Quantity(input_tokens=row.input_tokens, output_tokens=row.output_tokens, units=row.units),
        model=row.model,
        latency_ms=row.latency_ms,
        cost=row.cost,
        charged=row.charged,
        uncollected=row.uncollected,
        charges=msgspec.convert(row.charges, tuple[Part, ...]),
    )
