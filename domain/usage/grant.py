from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.ids import AccountId, LotId
from domain.usage.desk import Desk
from domain.usage.errors import GrantReferenceReused
from domain.usage.lot import NEVER, PRIORITY, Lot, Source


@dataclass(frozen=True, slots=True)
class Granted:
    lot: Lot
    available: int
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Add a lot of ``amount`` microcredits. One ``reference`` grants once. Raises GrantReferenceReused."""

    account: AccountId
    id: LotId
    source: Source
    amount: int
    reference: str
    priority: int | None = None
    starts_at: datetime | None = None
    expires_at: datetime = NEVER

    reservation: None = None
    request: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def __post_init__(self) -> None:
        if self.amount <= 0 or self.source is Source.OVERDRAFT:
            raise ValueError(f"a grant of {self.amount} from {self.source}")

    def decide(self, desk: Desk, now: datetime) -> Granted:
        for lot in desk.lots.values():
            if lot.reference == self.reference:
                if (lot.source, lot.granted + lot.refunded) != (self.source, self.amount):
                    raise GrantReferenceReused(self.reference)
                return Granted(lot, desk.available(now), replayed=True)
        lot = Lot(
            account=self.account,
            id=self.id,
            source=self.source,
            granted=self.amount,
            priority=PRIORITY[self.source] if self.priority is None else self.priority,
            starts_at=self.starts_at or now,
            expires_at=self.expires_at,
            created_at=now,
            reference=self.reference,
        )
        desk.receive(lot, now)
        return Granted(desk.lots[lot.id], desk.available(now), replayed=False)
