"""What happens to a hold: started, committed, released. Each repeat of the same gets the same answer."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.credits import Quantity
from domain.ids import AccountId, ReservationId
from domain.usage.desk import Desk
from domain.usage.lot import Part
from domain.usage.reservation import Reservation, Settlement, State
from domain.usage.reserve import find
from domain.usage.spend_limit import add, narrowest, room_under


@dataclass(frozen=True, slots=True)
class Settled:
    reservation: Reservation
    settlement: Settlement
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """The upstream call has begun. Raises ReservationMissing, ReservationSettled, ReservationExpired."""

    account: AccountId
    reservation: ReservationId

    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> Reservation:
        before = find(desk, self.reservation)
        started = before.start(now)
        if started is not before:
            desk.put_reservation(started)
        return started


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Charge what the call cost: from its hold, then from what is free, then from the plan's overdraft.

    Beyond its hold, no more than spend limits leave. What is left is uncollected.
    Raises ReservationMissing, ReservationSettled, ReservationExpired.
    """

    account: AccountId
    reservation: ReservationId
    usage: Quantity
    model: str | None = None
    latency_ms: int | None = None

    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> Settled:
        before = find(desk, self.reservation)
        earlier = before.settlement
        if before.state is State.COMMITTED and earlier is not None and self._same(earlier):
            return Settled(before, earlier, replayed=True)
        before.check_open()

        cost = before.rate.cost(self.usage)
        due = 0 if before.test else cost
        charges = _first(before.holds, due)
        desk.unhold(before.holds)
        desk.spend(charges)
        due -= _total(charges)
        counted = desk.tally.end(before, charged=_total(charges))
        if due:
            limits = desk.tally.of(before, now)
            excess = self._beyond(desk, room_under(narrowest(limits), due), now)
            desk.tally.shadow(limits, before, due, now)
            counted = add(counted, desk.tally.spend(limits, _total(excess)))
            due -= _total(excess)
            charges += excess
        settlement = Settlement(
            usage=self.usage,
            model=self.model,
            latency_ms=self.latency_ms,
            cost=cost,
            charged=_total(charges),
            uncollected=due,
            charges=charges,
            available=desk.available(now),
            at=now,
        )
        settled = before.settle(State.COMMITTED, settlement, counted=counted)
        desk.record(settled, settlement)
        return Settled(settled, settlement, replayed=False)

    def _beyond(self, desk: Desk, due: int, now: datetime) -> tuple[Part, ...]:
        """Charge ``due``, which no hold covers: what is free, then what the plan lends."""
        free = desk.take(due, now)
        desk.spend(free)
        lent = desk.lend(due - _total(free), now)
        desk.spend(lent)
        return free + lent

    def _same(self, earlier: Settlement) -> bool:
        said = (earlier.usage, earlier.model, earlier.latency_ms)
        return said == (self.usage, self.model, self.latency_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Give the hold back. Raises ReservationMissing, ReservationSettled, ReservationExpired."""

    account: AccountId
    reservation: ReservationId

    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> Settled:
        before = find(desk, self.reservation)
        if before.state is State.RELEASED and before.settlement is not None:
            return Settled(before, before.settlement, replayed=True)
        before.check_open()
        desk.unhold(before.holds)
        desk.tally.end(before, charged=0)
        settlement = Settlement(available=desk.available(now), at=now)
        settled = before.settle(State.RELEASED, settlement)
        desk.put_reservation(settled)
        return Settled(settled, settlement, replayed=False)


def _first(parts: tuple[Part, ...], amount: int) -> tuple[Part, ...]:
    """The first ``amount`` of ``parts``."""
    taken = []
    for part in parts:
        if amount <= 0:
            break
        taken.append(Part(part.lot, min(part.amount, amount)))
        amount -= part.amount
    return tuple(taken)


def _total(parts: tuple[Part, ...]) -> int:
    return sum(part.amount for part in parts)
