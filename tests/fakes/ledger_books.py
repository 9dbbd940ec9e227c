"""What is stored of one account, and whether it adds up, counted without the code that wrote it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID


class LotEntry(NamedTuple):
    source: str
    granted: int
    held: int
    spent: int


class ReservationEntry(NamedTuple):
    """``counted``: under which limits, in the period since when, how much of it."""

    id: UUID
    state: str
    holds: Sequence[tuple[UUID, int]]
    counted: Sequence[tuple[UUID, datetime, int]]


class RecordEntry(NamedTuple):
    id: UUID
    test: bool
    cost: int
    charged: int
    uncollected: int
    charges: Sequence[tuple[UUID, int]]


class LimitEntry(NamedTuple):
    """``refused``: how many calls it would have refused, were it no shadow."""

    since: datetime
    amount: int
    held: int
    spent: int
    refused: int


class RepaymentEntry(NamedTuple):
    lot: UUID
    overdraft: UUID
    amount: int


@dataclass(frozen=True, kw_only=True)
class StoredBooks:
    lots: Mapping[UUID, LotEntry]
    reservations: Sequence[ReservationEntry]
    records: Sequence[RecordEntry]
    repayments: Sequence[RepaymentEntry]
    limits: Mapping[UUID, LimitEntry]
    hourly: int
    """The sum of what the hours say was charged."""

    @property
    def held(self) -> int:
        return sum(lot.held for lot in self.lots.values())

    @property
    def spent(self) -> int:
        return sum(lot.spent for lot in self.lots.values())


def assert_books_add_up(books: StoredBooks) -> None:
    held: Counter[UUID] = Counter()
    spent: Counter[UUID] = Counter()
    for reservation in books.reservations:
        if reservation.state in {"held", "started"}:
            for lot, amount in reservation.holds:
                held[lot] += amount
        else:
            assert not reservation.holds, "what is settled holds nothing"
    for record in books.records:
        for lot, amount in record.charges:
            assert amount > 0, "a lot pays something or is not named"
            spent[lot] += amount
    for repayment in books.repayments:
        spent[repayment.lot] += repayment.amount
        spent[repayment.overdraft] -= repayment.amount

    assert held.keys() | spent.keys() <= books.lots.keys(), "whatever pays or is held is there"
    for id, entry in books.lots.items():
        assert entry.held == held[id], "a lot's held is what open reservations hold of it"
        assert entry.spent == spent[id], "a lot's spent is what was charged to it"
        assert entry.held >= 0, "nothing is held below zero"
        assert entry.spent >= 0, "nothing is spent below zero"
        assert entry.held + entry.spent <= entry.granted, "no lot is overspent"
    _assert_records_add_up(books)
    _assert_limits_add_up(books)


def _assert_limits_add_up(books: StoredBooks) -> None:
    held: Counter[tuple[UUID, datetime]] = Counter()
    spent: Counter[tuple[UUID, datetime]] = Counter()
    for reservation in books.reservations:
        open_ = reservation.state in {"held", "started"}
        for limit, since, amount in reservation.counted:
            (held if open_ else spent)[limit, since] += amount
    for id, entry in books.limits.items():
        assert entry.held == held[id, entry.since], "a limit's held is what open reservations count"
        assert entry.spent == spent[id, entry.since], "a limit's spent is what was charged under it"


def _assert_records_add_up(books: StoredBooks) -> None:
    states = {each.id: each.state for each in books.reservations}
    charged = [record.id for record in books.records]
    assert len(charged) == len(set(charged)), "nothing is charged twice"
    for record in books.records:
        assert states[record.id] in {"committed", "expired"}, "only what was settled is charged"
        assert record.charged == sum(amount for _, amount in record.charges), "what the lots paid is charged"
        if record.test:
            assert record.charged == record.uncollected == 0, "a test pays nothing"
        else:
            assert record.charged + record.uncollected == record.cost, "every cost is accounted for"
    committed = {id for id, state in states.items() if state == "committed"}
    assert committed <= set(charged), "every commit is recorded"
    assert books.hourly == sum(record.charged for record in books.records), "the hours say the same"
