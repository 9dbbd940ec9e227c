"""What was charged, for ever, and its sums by the hour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from domain.credits import Quantity
from domain.ids import AccountId, KeyId, LotId, ReservationId
from domain.usage.lot import Part
from domain.usage.reservation import Reservation, Settlement
from domain.usage.terms import Rate


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One charge. Its id is its reservation's. Amounts in microcredits."""

    account: AccountId
    id: ReservationId
    recorded_at: datetime
    key: KeyId | None
    feature: str
    rate: Rate
    test: bool
    usage: Quantity
    model: str | None
    latency_ms: int | None
    cost: int
    charged: int
    uncollected: int
    charges: tuple[Part, ...]

    @classmethod
    def of(cls, reservation: Reservation, settlement: Settlement) -> "UsageRecord":
        return cls(
            account=reservation.account,
            id=reservation.id,
            recorded_at=settlement.at,
            key=reservation.key,
            feature=reservation.feature,
            rate=reservation.rate,
            test=reservation.test,
            usage=settlement.usage,
            model=settlement.model,
            latency_ms=settlement.latency_ms,
            cost=settlement.cost,
            charged=settlement.charged,
            uncollected=settlement.uncollected,
            charges=settlement.charges,
        )


@dataclass(frozen=True, slots=True)
class Repayment:
    """A grant paid back overdraft: ``amount`` microcredits that ``overdraft`` had spent became ``lot``'s.

    Below zero the other way: what ``lot`` had spent was refunded, and counts as borrowed.
    """

    id: UUID
    account: AccountId
    lot: LotId
    overdraft: LotId
    amount: int
    at: datetime


class RollupKey(NamedTuple):
    account: AccountId
    hour: datetime
    feature: str
    key: KeyId | None
    test: bool


@dataclass(slots=True)
class Sums:
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    units: int = 0
    charged: int = 0
    uncollected: int = 0

    def add(self, record: UsageRecord) -> None:
        self.calls += 1
        self.input_tokens += record.usage.input_tokens
        self.output_tokens += record.usage.output_tokens
        self.units += record.usage.units
        self.charged += record.charged
        self.uncollected += record.uncollected


def by_hour(records: Iterable[UsageRecord]) -> dict[RollupKey, Sums]:
    sums: dict[RollupKey, Sums] = {}
    for record in records:
        hour = record.recorded_at.replace(minute=0, second=0, microsecond=0)
        key = RollupKey(record.account, hour, record.feature, record.key, record.test)
        sums.setdefault(key, Sums()).add(record)
    return sums
