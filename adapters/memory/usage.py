from collections.abc import Sequence
from datetime import datetime

from adapters.memory.ledger import MemoryLedger
from application.ports import Clock
from application.usage.ports import By, Place, UsageGroup, UsageReader
from application.usage.tidy import OverdueHolds
from domain.ids import AccountId, KeyId, ReservationId
from domain.usage.balance import Balance
from domain.usage.errors import AccountMissing, ReservationMissing
from domain.usage.record import Sums, UsageRecord
from domain.usage.reservation import Reservation, State

_Group = tuple[datetime | None, datetime | None, str | None, KeyId | None]


class MemoryUsageReader(UsageReader):
    """Reads the desks of a ledger in memory."""

    def __init__(self, ledger: MemoryLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def balance(self, account: AccountId) -> Balance:
        desk = self._ledger.desks.get(account)
        if desk is None:
            raise AccountMissing
        return Balance.of(desk, self._clock.now())

    async def reservation(self, account: AccountId, id: ReservationId) -> Reservation:
        desk = self._ledger.desks.get(account)
        if desk is None or id not in desk.reservations:
            raise ReservationMissing
        desk.open(self._clock.now())
        return desk.reservations[id]

    async def unstarted(self, account: AccountId, *, limit: int) -> Sequence[ReservationId]:
        desk = self._ledger.desks.get(account)
        now = self._clock.now()
        held = [
            each
            for each in (desk.reservations.values() if desk else ())
            if each.state is State.HELD and now < each.expires_at
        ]
        return [each.id for each in sorted(held, key=lambda each: (each.expires_at, each.id))[:limit]]

    async def sums(
        self, account: AccountId, start: datetime, end: datetime, by: frozenset[By]
    ) -> Sequence[UsageGroup]:
        groups: dict[_Group, Sums] = {}
        for record in self._records(account, start, end):
            groups.setdefault(_group(record, by), Sums()).add(record)
        return [
            UsageGroup(day=day, hour=hour, feature=feature, key=key, sums=groups[day, hour, feature, key])
            for day, hour, feature, key in sorted(groups, key=_order)
        ]

    async def records(
        self, account: AccountId, start: datetime, end: datetime, *, after: Place | None, limit: int
    ) -> Sequence[UsageRecord]:
        newest = sorted(self._records(account, start, end), key=_place, reverse=True)
        behind = None if after is None else (after.recorded_at, after.id)
        return [record for record in newest if behind is None or _place(record) < behind][:limit]

    def _records(self, account: AccountId, start: datetime, end: datetime) -> list[UsageRecord]:
        desk = self._ledger.desks.get(account)
        records = [] if desk is None else desk.records
        return [record for record in records if start <= record.recorded_at < end]


def _place(record: UsageRecord) -> tuple[datetime, ReservationId]:
    return (record.recorded_at, record.id)


def _group(record: UsageRecord, by: frozenset[By]) -> _Group:
    hour = record.recorded_at.replace(minute=0, second=0, microsecond=0)
    return (
        hour.replace(hour=0) if By.DAY in by else None,
        hour if By.HOUR in by else None,
        record.feature if By.FEATURE in by else None,
        record.key if By.KEY in by else None,
    )


def _order(group: _Group) -> tuple[object, ...]:
    day, hour, feature, key = group
    return (day, hour, feature, key is not None, key)


class MemoryOverdueHolds(OverdueHolds):
    """Reads the desks of a ledger in memory."""

    def __init__(self, ledger: MemoryLedger, clock: Clock) -> None:
        self._ledger = ledger
        self._clock = clock

    async def accounts(self, *, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        now = self._clock.now()
        return [
            id
            for id, desk in sorted(self._ledger.desks.items())
            if (after is None or id > after)
            and not desk.account.parked
            and any(each.overdue(now) for each in desk.reservations.values())
        ][:limit]
