from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple, Self

from domain.ids import AccountId, LotId

NEVER = datetime.max.replace(tzinfo=UTC)


class Source(StrEnum):
    ALLOCATION = "allocation"
    TOP_UP = "top_up"
    PROMOTION = "promotion"
    ADJUSTMENT = "adjustment"
    OVERDRAFT = "overdraft"
    """Credits lent by the plan. Never reserved; only a commit above its hold draws on them."""


PRIORITY = {
    Source.PROMOTION: 10,
    Source.ALLOCATION: 20,
    Source.ADJUSTMENT: 30,
    Source.TOP_UP: 40,
    Source.OVERDRAFT: 100,
}
"""What burns first unless a grant says otherwise: what was given, before what was paid for."""


class Part(NamedTuple):
    """So many microcredits of one lot: held, or charged."""

    lot: LotId
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """A grant of credits. ``granted = free + held + spent``, and none is negative. All in microcredits.

    ``refunded`` was granted, too, and is no more, since the customer got the money back.
    """

    account: AccountId
    id: LotId
    source: Source
    granted: int
    held: int = 0
    spent: int = 0
    refunded: int = 0
    priority: int
    starts_at: datetime
    expires_at: datetime = NEVER
    created_at: datetime
    reference: str | None = None

    def __post_init__(self) -> None:
        if min(self.held, self.spent, self.free, self.refunded) < 0:
            raise ValueError(f"a lot out of balance: {self}")

    @property
    def free(self) -> int:
        return self.granted - self.held - self.spent

    def live(self, now: datetime) -> bool:
        return self.starts_at <= now < self.expires_at

    @property
    def burn_order(self) -> tuple[int, datetime, datetime, LotId]:
        return (self.priority, self.expires_at, self.created_at, self.id)

    def hold(self, amount: int) -> Self:
        return replace(self, held=self.held + amount)

    def unhold(self, amount: int) -> Self:
        return replace(self, held=self.held - amount)

    def spend(self, amount: int) -> Self:
        return replace(self, spent=self.spent + amount)
