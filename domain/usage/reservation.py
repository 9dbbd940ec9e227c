from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from domain.credits import NOTHING, Quantity
from domain.ids import AccountId, KeyId, ReservationId, UserId
from domain.usage.errors import ReservationExpired, ReservationSettled
from domain.usage.lot import Part
from domain.usage.spend_limit import Counted
from domain.usage.terms import Rate

LONGEST = timedelta(hours=24)
USUAL = timedelta(minutes=15)


class State(StrEnum):
    HELD = "held"
    STARTED = "started"
    COMMITTED = "committed"
    RELEASED = "released"
    EXPIRED = "expired"

    @property
    def open(self) -> bool:
        return self in {State.HELD, State.STARTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What the first answer said, for whoever asks again.

    ``held`` and ``available`` (after the hold) are microcredits; ``calls`` is how many further such calls
    that pays for (None where they cost nothing); ``output_tokens`` is what the hold pays for.
    """

    held: int
    available: int
    calls: int | None
    output_tokens: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """How it ended. Amounts are microcredits.

    ``charges`` says which lots paid ``charged``; what the call cost beyond what could be taken is
    ``uncollected``; ``available`` is what was free afterwards.
    """

    usage: Quantity = NOTHING
    model: str | None = None
    latency_ms: int | None = None
    cost: int = 0
    charged: int = 0
    uncollected: int = 0
    charges: tuple[Part, ...] = ()
    available: int = 0
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """Credits held for one request. Settled exactly once. ``member`` is who made the key that asked."""

    account: AccountId
    id: ReservationId
    request: str
    fingerprint: str
    key: KeyId | None
    member: UserId | None = None
    feature: str
    rate: Rate
    test: bool
    state: State = State.HELD
    estimate: Quantity
    holds: tuple[Part, ...]
    counted: tuple[Counted, ...] = ()
    opening: Opening
    created_at: datetime
    expires_at: datetime
    started_at: datetime | None = None
    settlement: Settlement | None = None

    @property
    def held(self) -> int:
        """Microcredits that it still holds."""
        return sum(part.amount for part in self.holds)

    def overdue(self, now: datetime) -> bool:
        return self.state.open and self.expires_at <= now

    def check_open(self) -> None:
        """Raises ReservationExpired or ReservationSettled."""
        if self.state is State.EXPIRED:
            raise ReservationExpired(self.expires_at)
        if self.settlement is not None:
            raise ReservationSettled(self.state, self.settlement.at)

    def start(self, now: datetime) -> Self:
        self.check_open()
        if self.state is State.STARTED:
            return self
        return replace(self, state=State.STARTED, started_at=now)

    def settle(self, state: State, settlement: Settlement, *, counted: tuple[Counted, ...] = ()) -> Self:
        """``counted`` is what spend limits count of the charge."""
        self.check_open()
        return replace(self, state=state, settlement=settlement, holds=(), counted=counted)
