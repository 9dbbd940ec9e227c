"""Hold credits for a call: the most that it may cost."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.credits import Quantity
from domain.ids import AccountId, KeyId, ReservationId, UserId
from domain.usage.desk import Desk
from domain.usage.errors import (
    FeatureNotInPlan,
    InsufficientCredits,
    RequestKeyReused,
    ReservationMissing,
)
from domain.usage.reservation import LONGEST, USUAL, Opening, Reservation
from domain.usage.simulate import Simulate
from domain.usage.spend_limit import SpendLimit, SpendLimitReached, add, narrowest, room_under
from domain.usage.terms import Rate


class Fit(StrEnum):
    """What to do with an estimate that is not affordable."""

    EXACT = "exact"
    """Refuse it."""
    CLAMP = "clamp"
    """Hold what is affordable: fewer output tokens, at least one."""


@dataclass(frozen=True, slots=True)
class Reserved:
    reservation: Reservation
    replayed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserve:
    """Raises WorkspaceFrozen, AccountParked, FeatureNotInPlan, RequestKeyReused.

    And InsufficientCredits and SpendLimitReached.

    ``request`` and ``fingerprint`` are the idempotency key and a digest of the whole request.
    """

    account: AccountId
    id: ReservationId
    request: str
    fingerprint: str
    key: KeyId | None
    member: UserId | None = None
    test: bool
    feature: str
    estimate: Quantity
    fit: Fit = Fit.EXACT
    expires_in: timedelta = USUAL
    simulate: Simulate | None = None

    reservation: None = None
    reference: None = None
    run: None = None

    def __post_init__(self) -> None:
        if not timedelta(0) < self.expires_in <= LONGEST:
            raise ValueError(f"a reservation for {self.expires_in}")

    def decide(self, desk: Desk, now: datetime) -> Reserved:
        first = desk.requests.get(self.request)
        if first is not None:
            earlier = desk.reservations[first]
            if earlier.fingerprint != self.fingerprint:
                raise RequestKeyReused
            return Reserved(earlier, replayed=earlier.id != self.id)
        desk.account.check_may_spend()
        rate = desk.terms.rates.get(self.feature)
        if rate is None:
            raise FeatureNotInPlan(self.feature, str(desk.account.plan))

        if self.simulate is Simulate.INSUFFICIENT_CREDITS:
            raise InsufficientCredits(needed=rate.cost(self.estimate), available=0)
        free = desk.available(now)
        limits = () if self.test else desk.tally.on(self.subjects, now)
        limit = narrowest(limits)
        room = room_under(limit, free)
        fitting = self._fit(rate, room)
        if fitting is None:
            raise _refusal(rate.cost(self.estimate), free, limit)
        estimate, price = fitting
        parts = desk.take(price, now)
        expires_at = now + self.expires_in
        reservation = Reservation(
            account=self.account,
            id=self.id,
            request=self.request,
            fingerprint=self.fingerprint,
            key=self.key,
            member=self.member,
            feature=self.feature,
            rate=rate,
            test=self.test,
            estimate=estimate,
            holds=parts,
            counted=desk.tally.hold(limits, price),
            opening=Opening(
                held=price,
                available=free - price,
                calls=_calls(rate, self.estimate, room - price),
                output_tokens=estimate.output_tokens,
                expires_at=expires_at,
            ),
            created_at=now,
            expires_at=expires_at,
        )
        desk.hold(parts)
        desk.tally.shadow(limits, reservation, price, now)
        desk.put_reservation(reservation)
        return Reserved(reservation, replayed=False)

    @property
    def subjects(self) -> Sequence[UUID]:
        return [each for each in (self.key, self.member) if each is not None]

    def _fit(self, rate: Rate, room: int) -> tuple[Quantity, int] | None:
        """What is reserved for, and the microcredits to hold for it. A test call holds nothing."""
        if self.test:
            return self.estimate, 0
        price = rate.cost(self.estimate)
        if price <= room:
            return self.estimate, price
        tokens = None
        if self.fit is Fit.CLAMP:
            tokens = rate.price.output_tokens_for(room, self.estimate, multiplier=rate.multiplier)
        if not tokens:
            return None
        estimate = replace(self.estimate, output_tokens=tokens)
        return estimate, rate.cost(estimate)


def _refusal(needed: int, free: int, limit: SpendLimit | None) -> InsufficientCredits | SpendLimitReached:
    """By what leaves less: the account, or the limit."""
    if limit is None or free <= limit.left:
        return InsufficientCredits(needed=needed, available=free)
    return SpendLimitReached(limit.account, limit.id, needed, max(0, limit.left))


def _calls(rate: Rate, estimate: Quantity, free: int) -> int | None:
    price = rate.cost(estimate)
    return free // price if price else None


@dataclass(frozen=True, slots=True)
class Extended:
    reservation: Reservation
    available: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extend:
    """Raise a hold to what ``estimate`` may cost, its deadline to ``expires_in`` from now: all or nothing.

    Says what to reach, not what to add, so that a repeat changes nothing. Never lowers either.
    Raises ReservationMissing, ReservationSettled, ReservationExpired, WorkspaceFrozen, AccountParked,
    InsufficientCredits, SpendLimitReached.
    """

    account: AccountId
    reservation: ReservationId
    estimate: Quantity | None = None
    expires_in: timedelta | None = None

    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> Extended:
        reservation = find(desk, self.reservation)
        reservation.check_open()
        desk.account.check_may_spend()
        free = desk.available(now)
        estimate, more = reservation.estimate, 0
        if self.estimate is not None:
            price = 0 if reservation.test else reservation.rate.cost(self.estimate)
            more = max(0, price - reservation.held)
            if price > reservation.held or reservation.test:
                estimate = self.estimate
        limits = desk.tally.of(reservation, now)
        limit = narrowest(limits)
        if more > room_under(limit, free):
            raise _refusal(more, free, limit)
        expires_at = reservation.expires_at
        if self.expires_in is not None:
            expires_at = max(expires_at, now + self.expires_in)
        parts = desk.take(more, now)
        extended = replace(
            reservation,
            estimate=estimate,
            holds=reservation.holds + parts,
            counted=add(reservation.counted, desk.tally.hold(limits, more)),
            expires_at=expires_at,
        )
        desk.hold(parts)
        desk.tally.shadow(limits, reservation, more, now)
        desk.put_reservation(extended)
        return Extended(extended, free - more)


def find(desk: Desk, id: ReservationId) -> Reservation:
    reservation = desk.reservations.get(id)
    if reservation is None:
        raise ReservationMissing
    return reservation
