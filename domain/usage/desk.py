"""The working set of one account: what a batch of commands reads, changes and leaves to be written.

Everything on it is immutable and only ever replaced whole, so a command that is refused changed nothing,
provided that it computes first and puts last.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from domain.events import Event
from domain.ids import AccountId, LotId, ReservationId
from domain.period import month_of
from domain.usage.account import Account
from domain.usage.lot import PRIORITY, Lot, Part, Source
from domain.usage.queued_run import QueuedRun, RunBatch
from domain.usage.record import Repayment, UsageRecord
from domain.usage.reservation import Reservation, Settlement, State
from domain.usage.spend_limit import SpendLimit
from domain.usage.tally import Tally
from domain.usage.terms import Terms

T_co = TypeVar("T_co", covariant=True)


class Names(Protocol):
    """What must lie on the desk before something can be decided or told."""

    @property
    def account(self) -> AccountId: ...

    @property
    def reservation(self) -> ReservationId | None:
        """The reservation that it is about, where there is one already."""

    @property
    def request(self) -> str | None:
        """The idempotency key under which it may have been done before."""

    @property
    def reference(self) -> str | None:
        """The grant's reference under which it may have been done before."""

    @property
    def run(self) -> ReservationId | None:
        """The queued run that it is about."""

    @property
    def subjects(self) -> Sequence[UUID]:
        """Whose spend limits it comes under. Those that count a reservation lie on the desk with it."""


class Command(Names, Protocol[T_co]):
    """One thing to be done to one account."""

    def decide(self, desk: "Desk", now: datetime) -> T_co:
        """Do it, or raise a DomainError and leave the desk as it was."""


@dataclass(slots=True, kw_only=True)
class Desk:
    account: Account
    terms: Terms
    new_id: Callable[[], UUID]
    lots: dict[LotId, Lot] = field(default_factory=dict)
    reservations: dict[ReservationId, Reservation] = field(default_factory=dict)
    requests: dict[str, ReservationId] = field(default_factory=dict)
    changed_lots: set[LotId] = field(default_factory=set)
    new_reservations: set[ReservationId] = field(default_factory=set)
    changed_reservations: set[ReservationId] = field(default_factory=set)
    records: list[UsageRecord] = field(default_factory=list)
    repayments: list[Repayment] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    account_changed: bool = False
    runs: dict[ReservationId, QueuedRun] = field(default_factory=dict)
    new_runs: set[ReservationId] = field(default_factory=set)
    changed_runs: set[ReservationId] = field(default_factory=set)
    batches: list[RunBatch] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def lay(
        self,
        lots: Iterable[Lot],
        reservations: Iterable[Reservation],
        limits: Iterable[SpendLimit] = (),
    ) -> None:
        """Lay out what the books have."""
        for limit in limits:
            self.tally.limits[limit.id] = limit
        for lot in lots:
            self.lots[lot.id] = lot
        for reservation in reservations:
            self.reservations[reservation.id] = reservation
            self.requests[reservation.request] = reservation.id

    def put_lot(self, lot: Lot) -> None:
        self.lots[lot.id] = lot
        self.changed_lots.add(lot.id)

    def put_reservation(self, reservation: Reservation) -> None:
        if reservation.id not in self.reservations:
            self.new_reservations.add(reservation.id)
        self.reservations[reservation.id] = reservation
        self.requests[reservation.request] = reservation.id
        self.changed_reservations.add(reservation.id)

    def put_run(self, run: QueuedRun) -> None:
        if run.id not in self.runs:
            self.new_runs.add(run.id)
        self.runs[run.id] = run
        self.changed_runs.add(run.id)

    def tell(self, *events: Event) -> None:
        """To be published if what lies here is written."""
        self.events += events

    def copy(self) -> "Desk":
        """As it is now, whatever is put on it afterwards."""
        kept: dict[str, Any] = {each.name: getattr(self, each.name) for each in fields(self)}
        changing = (dict, set, list, Tally)
        held = {name: each.copy() for name, each in kept.items() if isinstance(each, changing)}
        return Desk(**(kept | held))

    def restore(self, before: "Desk") -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(before, each.name))

    def open(self, now: datetime) -> None:
        """What time alone has done since the account was last written: holds and periods that ran out."""
        self._renew(now)
        for each in list(self.reservations.values()):
            if each.overdue(now) and (not self.account.parked or self._covered(each)):
                self.expire(each, each.expires_at)

    def available(self, now: datetime) -> int:
        """Microcredits that can be reserved."""
        return sum(lot.free for lot in self._spendable(now))

    def take(self, amount: int, now: datetime) -> tuple[Part, ...]:
        """The parts of lots, in burn order, that make up ``amount``, or as much of it as is free."""
        parts = []
        spendable = self._spendable(now)
        if len(spendable) > 1:
            spendable.sort(key=_burn_order)
        for lot in spendable:
            if amount <= 0:
                break
            part = Part(lot.id, min(lot.free, amount))
            amount -= part.amount
            parts.append(part)
        return tuple(parts)

    def hold(self, parts: Iterable[Part]) -> None:
        for part in parts:
            self.put_lot(self.lots[part.lot].hold(part.amount))

    def unhold(self, parts: Iterable[Part]) -> None:
        for part in parts:
            self.put_lot(self.lots[part.lot].unhold(part.amount))

    def spend(self, parts: Iterable[Part]) -> None:
        for part in parts:
            self.put_lot(self.lots[part.lot].spend(part.amount))

    def lend(self, amount: int, now: datetime) -> tuple[Part, ...]:
        """As much of ``amount`` as the plan's overdraft still gives. Opens its lot at the first need."""
        lot = self._overdraft()
        if lot is None:
            if self.terms.overdraft == 0:
                return ()
            lot = self._new_overdraft(now)
        lot = replace(lot, granted=max(self.terms.overdraft, lot.spent))
        part = Part(lot.id, min(lot.free, amount))
        if part.amount == 0:
            return ()
        self.put_lot(lot)
        return (part,)

    def owe(self, lot: Lot, amount: int, now: datetime) -> None:
        """What was spent of ``lot``, and has no money behind it any more, counts as borrowed."""
        overdraft = self._overdraft() or self._new_overdraft(now)
        spent = overdraft.spent + amount
        self.put_lot(replace(overdraft, spent=spent, granted=max(overdraft.granted, spent)))
        self.repayments.append(
            Repayment(
                id=self.new_id(),
                account=self.account.id,
                lot=lot.id,
                overdraft=overdraft.id,
                amount=-amount,
                at=now,
            )
        )

    def receive(self, lot: Lot, now: datetime) -> None:
        """A new lot. What the account has overdrawn is paid back from it first."""
        overdraft = self._overdraft()
        owed = min(overdraft.spent, lot.free) if overdraft is not None and lot.live(now) else 0
        if overdraft is not None and owed:
            self.put_lot(replace(overdraft, spent=overdraft.spent - owed))
            self.repayments.append(
                Repayment(
                    id=self.new_id(),
                    account=self.account.id,
                    lot=lot.id,
                    overdraft=overdraft.id,
                    amount=owed,
                    at=now,
                )
            )
            lot = lot.spend(owed)
        self.put_lot(lot)

    def record(self, settled: Reservation, settlement: Settlement) -> None:
        self.put_reservation(settled)
        self.records.append(UsageRecord.of(settled, settlement))

    def _spendable(self, now: datetime) -> list[Lot]:
        return [
            lot
            for lot in self.lots.values()
            if lot.source is not Source.OVERDRAFT and lot.live(now) and lot.free
        ]

    def _covered(self, reservation: Reservation) -> bool:
        """Whether its lots hold what it says. Those of a parked account may not: then it stays as it is."""
        held = {lot.id: lot.held for lot in self.lots.values()}
        return all(held.get(part.lot, 0) >= part.amount for part in reservation.holds)

    def _new_overdraft(self, now: datetime) -> Lot:
        return Lot(
            account=self.account.id,
            id=LotId(self.new_id()),
            source=Source.OVERDRAFT,
            granted=self.terms.overdraft,
            priority=PRIORITY[Source.OVERDRAFT],
            starts_at=now,
            created_at=now,
        )

    def _overdraft(self) -> Lot | None:
        return next((lot for lot in self.lots.values() if lot.source is Source.OVERDRAFT), None)

    def _renew(self, now: datetime) -> None:
        end = self.account.period_end
        if not self.terms.renews or (end is not None and now < end):
            return
        period = month_of(self.account.anchor, now)
        self.account = replace(self.account, period_end=period.end)
        self.account_changed = True
        if self.terms.allocation:
            allocation = Lot(
                account=self.account.id,
                id=LotId(self.new_id()),
                source=Source.ALLOCATION,
                granted=self.terms.allocation,
                priority=PRIORITY[Source.ALLOCATION],
                starts_at=min(period.start, now),  # an anchor comes from another clock than ``now``
                expires_at=period.end,
                created_at=now,
                reference=f"allocation:{period.start.isoformat()}",
            )
            self.receive(allocation, now)

    def expire(self, reservation: Reservation, at: datetime) -> int:
        """A hold that nobody settles: refunded, or charged whole where its feature says so once started.

        One past its deadline ends at that, not when somebody noticed. The answer is what it charged.
        """
        parts = reservation.holds
        self.unhold(parts)
        if reservation.state is State.STARTED and reservation.rate.charge_on_timeout:
            self.spend(parts)
            charged = reservation.held
            settlement = Settlement(
                usage=reservation.estimate,
                cost=charged,
                charged=charged,
                charges=parts,
                available=self.available(at),
                at=at,
            )
            counted = self.tally.end(reservation, charged=charged)
            self.record(reservation.settle(State.EXPIRED, settlement, counted=counted), settlement)
            return charged
        self.tally.end(reservation, charged=0)
        settlement = Settlement(available=self.available(at), at=at)
        self.put_reservation(reservation.settle(State.EXPIRED, settlement))
        return 0


def _burn_order(lot: Lot) -> tuple[object, ...]:
    return lot.burn_order
