"""One account's desk, and what is done on it. A token of ``CALL`` costs one microcredit."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from domain.credits import MICRO, ONE, PICO, Price, Quantity
from domain.ids import AccountId, KeyId, LotId, PlanRef, ReservationId, WorkspaceId
from domain.usage.account import Account
from domain.usage.desk import Command, Desk, T_co
from domain.usage.grant import Grant
from domain.usage.lot import NEVER, PRIORITY, Lot, Source
from domain.usage.reservation import USUAL
from domain.usage.reserve import Extend, Extended, Fit, Reserve, Reserved
from domain.usage.settle import Commit, Release, Settled, Start
from domain.usage.terms import Rate, Terms
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds

CALL = "call"
SURE = "sure"
"""Charged whole when it was started and never settled."""
PLAN = PlanRef("api", "team", 1)
BY_TOKEN = Price(per_output_token=PICO // MICRO)


def a_rate(price: Price = BY_TOKEN, *, multiplier: int = ONE, charge_on_timeout: bool = False) -> Rate:
    return Rate(
        plan=str(PLAN),
        price_version=1,
        price=price,
        multiplier=multiplier,
        charge_on_timeout=charge_on_timeout,
    )


RATES = {CALL: a_rate(), SURE: a_rate(charge_on_timeout=True)}


def tokens(count: int) -> Quantity:
    return Quantity(output_tokens=count)


@dataclass
class Till:
    """Where one account is served. ``now`` is when."""

    terms: Terms = field(default_factory=lambda: Terms(plan=PLAN, rates=RATES))
    now: datetime = NOON
    anchor: datetime = NOON
    new_id: Callable[[], UUID] = field(default_factory=CountedIds)
    desk: Desk = field(init=False)

    def __post_init__(self) -> None:
        account = Account(
            id=AccountId(self.new_id()),
            workspace=WorkspaceId(self.new_id()),
            plan=PLAN,
            frozen=False,
            anchor=self.anchor,
        )
        self.desk = Desk(account=account, terms=self.terms, new_id=self.new_id)

    def do(self, command: Command[T_co]) -> T_co:
        self.desk.open(self.now)
        return command.decide(self.desk, self.now)

    def pass_by(self, time: timedelta) -> None:
        self.now += time

    def freeze(self, *, frozen: bool = True) -> None:
        self.desk.account = replace(self.desk.account, frozen=frozen)

    def lot(
        self,
        granted: int,
        *,
        source: Source = Source.TOP_UP,
        priority: int | None = None,
        starts_at: datetime | None = None,
        expires_at: datetime = NEVER,
    ) -> LotId:
        """Laid out as if it had been granted before."""
        lot = Lot(
            account=self.desk.account.id,
            id=LotId(self.new_id()),
            source=source,
            granted=granted,
            priority=PRIORITY[source] if priority is None else priority,
            starts_at=starts_at or self.now,
            expires_at=expires_at,
            created_at=self.now,
        )
        self.desk.lay([lot], [])
        return lot.id

    def grant(self, amount: int, reference: str, *, source: Source = Source.TOP_UP) -> Grant:
        return Grant(
            account=self.desk.account.id,
            id=LotId(self.new_id()),
            source=source,
            amount=amount,
            reference=reference,
        )

    def order(
        self,
        estimate: Quantity,
        *,
        feature: str = CALL,
        request: str | None = None,
        fingerprint: str = "same",
        key: KeyId | None = None,
        test: bool = False,
        fit: Fit = Fit.EXACT,
        expires_in: timedelta = USUAL,
    ) -> Reserve:
        id = ReservationId(self.new_id())
        return Reserve(
            account=self.desk.account.id,
            id=id,
            request=str(id) if request is None else request,
            fingerprint=fingerprint,
            key=key,
            test=test,
            feature=feature,
            estimate=estimate,
            fit=fit,
            expires_in=expires_in,
        )

    def reserve(self, count: int, *, feature: str = CALL, test: bool = False) -> Reserved:
        return self.do(self.order(tokens(count), feature=feature, test=test))

    def hold(self, count: int, *, feature: str = CALL, test: bool = False) -> ReservationId:
        return self.reserve(count, feature=feature, test=test).reservation.id

    def start(self, id: ReservationId) -> None:
        self.do(Start(account=self.desk.account.id, reservation=id))

    def commit(self, id: ReservationId, count: int, *, model: str | None = None) -> Settled:
        return self.do(Commit(account=self.desk.account.id, reservation=id, usage=tokens(count), model=model))

    def release(self, id: ReservationId) -> Settled:
        return self.do(Release(account=self.desk.account.id, reservation=id))

    def extend(
        self, id: ReservationId, count: int | None = None, *, expires_in: timedelta | None = None
    ) -> Extended:
        estimate = None if count is None else tokens(count)
        return self.do(
            Extend(account=self.desk.account.id, reservation=id, estimate=estimate, expires_in=expires_in)
        )

    def free(self) -> int:
        return self.desk.available(self.now)

    def figures(self, lot: LotId) -> tuple[int, int, int]:
        """Free, held, spent."""
        it = self.desk.lots[lot]
        return it.free, it.held, it.spent
