"""What may be asked of a ledger: each step as a command of the product, and as the model answers it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeAlias
from uuid import UUID

from hypothesis import strategies as st

from domain.errors import DomainError
from domain.ids import AccountId, KeyId, LotId, ReservationId, UserId
from domain.usage.desk import Command
from domain.usage.errors import InsufficientCredits, ReservationSettled
from domain.usage.grant import Grant, Granted
from domain.usage.lot import NEVER, PRIORITY, Part, Source
from domain.usage.reservation import Reservation
from domain.usage.reserve import Extend, Extended, Fit, Reserve, Reserved
from domain.usage.settle import Commit, Release, Settled, Start
from domain.usage.spend_limit import SpendLimitReached
from tests.contracts.banks import CALL, ODD, SURE, Bank
from tests.contracts.ledger_model import Answer, Model
from tests.contracts.tellers import tokens

COUNTS = st.sampled_from([1, 2, 3, 4, 5, 6, 7, 9, 11, 14, 0])
HALVES = st.sampled_from([0.5, 1.5, 3.5])
NEVER_MADE = 40
WHICH = st.integers(0, NEVER_MADE)


@dataclass
class Scene:
    """One account, what the model knows of it, another account, and what was sent before.

    Both of its ``keys`` are one member's.
    """

    bank: Bank
    model: Model
    account: AccountId
    stranger: AccountId
    keys: tuple[UUID, UUID]
    member: UUID
    lots: dict[UUID, str] = field(default_factory=dict)
    sent: list[Reserve] = field(default_factory=list)

    def ticket(self, which: int) -> ReservationId | None:
        """One that is open, or was; or, seldom, one that never was. None where none was ever made."""
        known = [ReservationId(id) for id in self.model.tickets]
        if which == NEVER_MADE:
            return ReservationId(self.bank.new_id())
        if which % 3:
            known = [ReservationId(id) for id, each in self.model.tickets.items() if each.open] or known
        return known[which % len(known)] if known else None

    def about(self, id: ReservationId, *, by_stranger: bool) -> AccountId | None:
        """Whose account is named; none where the reservation will be missing."""
        return None if by_stranger or id not in self.model.tickets else self.account


Sent: TypeAlias = tuple[Command[Any], Answer]


class Step(Protocol):
    def send(self, scene: Scene, now: datetime) -> Sent | None: ...


@dataclass(frozen=True)
class DoReserve:
    count: int
    feature: str
    hours: float
    test: bool
    clamp: bool
    key: int | None

    def send(self, scene: Scene, now: datetime) -> Sent:
        id = ReservationId(scene.bank.new_id())
        order = Reserve(
            account=scene.account,
            id=id,
            request=str(id),
            fingerprint="first",
            key=None if self.key is None else KeyId(scene.keys[self.key]),
            member=None if self.key is None else UserId(scene.member),
            test=self.test,
            feature=self.feature,
            estimate=tokens(self.count),
            fit=Fit.CLAMP if self.clamp else Fit.EXACT,
            expires_in=timedelta(hours=self.hours),
        )
        scene.sent.append(order)
        return order, answered(scene, order)


@dataclass(frozen=True)
class DoRepeat:
    """An earlier request, under its own id or a new one, the same or with another fingerprint."""

    which: int
    new_id: bool
    fingerprint: str

    def send(self, scene: Scene, now: datetime) -> Sent | None:
        if not scene.sent:
            return None
        first = scene.sent[self.which % len(scene.sent)]
        order = Reserve(
            account=first.account,
            id=ReservationId(scene.bank.new_id()) if self.new_id else first.id,
            request=first.request,
            fingerprint=self.fingerprint,
            key=first.key,
            member=first.member,
            test=first.test,
            feature=first.feature,
            estimate=first.estimate,
            fit=first.fit,
            expires_in=first.expires_in,
        )
        return order, answered(scene, order)


def answered(scene: Scene, order: Reserve) -> Answer:
    return scene.model.reserve(
        order.id,
        request=order.request,
        fingerprint=order.fingerprint,
        feature=order.feature,
        tokens=order.estimate.output_tokens,
        hours=order.expires_in / timedelta(hours=1),
        test=order.test,
        clamp=order.fit is Fit.CLAMP,
        key=None if order.key is None else scene.keys.index(order.key),
    )


MISSING: Answer = ("reservation_missing",)


@dataclass(frozen=True)
class DoStart:
    which: int
    by_stranger: bool

    def send(self, scene: Scene, now: datetime) -> Sent | None:
        id = scene.ticket(self.which)
        if id is None:
            return None
        account = scene.about(id, by_stranger=self.by_stranger)
        command = Start(account=account or scene.stranger, reservation=id)
        return command, scene.model.start(id) if account else MISSING


@dataclass(frozen=True)
class DoExtend:
    which: int
    by_stranger: bool
    count: int | None
    hours: float | None

    def send(self, scene: Scene, now: datetime) -> Sent | None:
        id = scene.ticket(self.which)
        if id is None:
            return None
        account = scene.about(id, by_stranger=self.by_stranger)
        command = Extend(
            account=account or scene.stranger,
            reservation=id,
            estimate=None if self.count is None else tokens(self.count),
            expires_in=None if self.hours is None else timedelta(hours=self.hours),
        )
        return command, scene.model.extend(id, self.count, self.hours) if account else MISSING


@dataclass(frozen=True)
class DoCommit:
    which: int
    by_stranger: bool
    count: int
    as_before: bool

    def send(self, scene: Scene, now: datetime) -> Sent | None:
        id = scene.ticket(self.which)
        if id is None:
            return None
        account = scene.about(id, by_stranger=self.by_stranger)
        used = scene.model.tickets[id].used if account and self.as_before else None
        count = self.count if used is None else used
        command = Commit(account=account or scene.stranger, reservation=id, usage=tokens(count))
        return command, scene.model.commit(id, count) if account else MISSING


@dataclass(frozen=True)
class DoRelease:
    which: int
    by_stranger: bool

    def send(self, scene: Scene, now: datetime) -> Sent | None:
        id = scene.ticket(self.which)
        if id is None:
            return None
        account = scene.about(id, by_stranger=self.by_stranger)
        command = Release(account=account or scene.stranger, reservation=id)
        return command, scene.model.release(id) if account else MISSING


@dataclass(frozen=True)
class DoGrant:
    reference: str
    amount: int
    source: Source
    priority: int | None
    hours: float | None

    def send(self, scene: Scene, now: datetime) -> Sent:
        priority = PRIORITY[self.source] if self.priority is None else self.priority
        name = f"{self.source} {self.reference}"
        command = Grant(
            account=scene.account,
            id=LotId(scene.bank.new_id()),
            source=self.source,
            amount=self.amount,
            reference=name,
            priority=self.priority,
            expires_at=NEVER if self.hours is None else now + timedelta(hours=self.hours),
        )
        scene.lots[command.id] = name
        hours = float("inf") if self.hours is None else self.hours
        return command, scene.model.grant(name, self.amount, priority, hours)


RARELY = st.integers(0, 19).map(lambda roll: roll == 19)
KEYS = st.sampled_from([None, 0, 1, 0, 1])
RESERVES = st.builds(
    DoReserve,
    COUNTS,
    st.sampled_from([CALL, CALL, SURE, ODD]),
    HALVES,
    test=RARELY,
    clamp=st.booleans(),
    key=KEYS,
)
STEPS = st.one_of(
    RESERVES,
    RESERVES,
    st.builds(DoRepeat, WHICH, st.booleans(), st.sampled_from(["first", "first", "other"])),
    st.builds(DoStart, WHICH, RARELY),
    st.builds(DoExtend, WHICH, RARELY, st.none() | COUNTS, st.none() | HALVES),
    st.builds(DoCommit, WHICH, RARELY, COUNTS, st.booleans()),
    st.builds(DoCommit, WHICH, RARELY, st.integers(5, 40), st.just(value=False)),
    st.builds(DoRelease, WHICH, RARELY),
    st.builds(
        DoGrant,
        st.sampled_from("abcdefgh"),
        st.integers(1, 9),
        st.sampled_from([Source.TOP_UP, Source.PROMOTION, Source.ADJUSTMENT]),
        st.none() | st.integers(9, 41),
        st.none() | st.sampled_from([0.5, 2.5, 8.5]),
    ),
)


def plain(answer: object, lots: Mapping[UUID, str]) -> Answer:
    """The product's answer as the model would give it. ``lots`` are the names of the pots."""
    match answer:
        case Reserved(Reservation(id=id, opening=it), replayed):
            said: Answer = ("reserved", id, replayed, it.held, it.available, it.calls, it.output_tokens)
        case Extended(reservation, available):
            said = ("extended", reservation.held, available)
        case Settled(_, it, replayed):
            paid = frozenset(_by_name(it.charges, lots).items())
            said = ("settled", replayed, it.cost, it.charged, it.uncollected, paid, it.available)
        case Granted(_, available, replayed):
            said = ("granted", replayed, available)
        case Reservation(state=state):
            said = (str(state),)
        case InsufficientCredits(needed=needed, available=available):
            said = (answer.code, needed, available)
        case SpendLimitReached(needed=needed, available=available):
            said = (answer.code, needed, available)
        case ReservationSettled(state=settled):
            said = (answer.code, settled)
        case DomainError():
            said = (answer.code,)
        case _:
            raise AssertionError(answer)
    return said


def _by_name(parts: tuple[Part, ...], lots: Mapping[UUID, str]) -> Counter[str]:
    paid: Counter[str] = Counter()
    for part in parts:
        paid[lots[part.lot]] += part.amount
    return paid
