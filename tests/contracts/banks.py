"""A ledger and what reads it, in memory and in PostgreSQL, and ways to let time pass and to see the rows."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from adapters.memory.ledger import MemoryLedger
from adapters.memory.usage import MemoryOverdueHolds, MemoryUsageReader
from application.usage.ports import Ledger, UsageReader
from application.usage.terms import terms_of
from application.usage.tidy import OverdueHolds
from domain.catalog.feature import OnTimeout
from domain.catalog.plan import Plan, Tariff
from domain.credits import MICRO, ONE, PICO, Price
from domain.ids import AccountId, LimitId, PlanRef, WorkspaceId
from domain.usage.account import Account
from domain.usage.spend_limit import Per, SpendLimit, SubjectKind
from domain.usage.terms import Terms
from tests.fakes import catalog
from tests.fakes.clock import SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.ledger_books import (
    LimitEntry,
    LotEntry,
    RecordEntry,
    RepaymentEntry,
    ReservationEntry,
    StoredBooks,
    assert_books_add_up,
)
from tests.fakes.meter import CountingMeter

CALL, SURE, ODD = "call", "sure", "odd"
"""A microcredit for a token; the same, but charged where it is never settled; and 0.7 of one."""


def _tariff(feature: str, price: int, on_timeout: OnTimeout = OnTimeout.RELEASE) -> Tariff:
    return Tariff(
        feature=feature, price_version=1, price=Price(per_output_token=price), on_timeout=on_timeout
    )


TARIFFS = {
    CALL: _tariff(CALL, PICO // MICRO),
    SURE: _tariff(SURE, PICO // MICRO, OnTimeout.CHARGE),
    ODD: _tariff(ODD, 700_000),
}


def a_plan(*, monthly: int = 0, overdraft: int = 0, multiplier: int = ONE) -> Plan:
    """Nobody else's. With ``monthly`` microcredits it is a free one, whose months open by themselves."""
    return replace(
        catalog.PLAN,
        key=f"plan_{uuid4().hex}",
        price=0 if monthly else 100,
        allocation=monthly,
        overdraft=overdraft,
        multiplier=multiplier,
        tariffs=TARIFFS,
    )


class Bank(ABC):
    ledger: Ledger
    reader: UsageReader
    holds: OverdueHolds

    def __init__(self, new_id: Callable[[], UUID]) -> None:
        self.new_id = new_id
        self.meter = CountingMeter()
        self.accounts: list[AccountId] = []

    async def open(self, plan: Plan | None = None, *, age: timedelta = timedelta(0)) -> AccountId:
        """An account of a workspace of its own, that was opened ``age`` ago."""
        plan = plan or a_plan()
        account = Account(
            id=AccountId(self.new_id()),
            workspace=WorkspaceId(self.new_id()),
            plan=PlanRef(plan.product, plan.key, plan.version),
            frozen=False,
            anchor=await self.now() - age,
        )
        await self._add(account, plan)
        self.accounts.append(account.id)
        return account.id

    async def check(self) -> None:
        """That the books of every account add up."""
        for account in self.accounts:
            assert_books_add_up(await self.books(account))

    @abstractmethod
    async def now(self) -> datetime: ...

    @abstractmethod
    async def pass_by(self, account: AccountId, time: timedelta) -> None:
        """Let ``time`` pass for ``account``."""

    @abstractmethod
    async def freeze(self, account: AccountId, *, frozen: bool = True) -> None: ...

    @abstractmethod
    async def park(self, account: AccountId, *, parked: bool = True) -> None: ...

    @abstractmethod
    async def books(self, account: AccountId) -> StoredBooks:
        """As they are stored, whether or not time has done something to them since."""

    async def limit(
        self,
        account: AccountId,
        subject: UUID,
        amount: int,
        *,
        period: Per = Per.TOTAL,
        shadow: bool = False,
    ) -> LimitId:
        now = await self.now()
        limit = SpendLimit(
            account=account,
            id=LimitId(self.new_id()),
            subject=subject,
            subject_kind=SubjectKind.KEY,
            period=period,
            amount=amount,
            shadow=shadow,
            created_at=now,
            since=now,
        )
        await self.add_limit(limit)
        return limit.id

    @abstractmethod
    async def add_limit(self, limit: SpendLimit) -> None: ...

    @abstractmethod
    async def _add(self, account: Account, plan: Plan) -> None: ...


class MemoryBank(Bank):
    def __init__(self) -> None:
        super().__init__(CountedIds())
        self.clock = SetClock()
        self._plans: dict[PlanRef, Plan] = {}
        ledger = MemoryLedger(self._terms, self.clock, self.new_id)
        self.ledger, self._desks = ledger, ledger.desks
        self.memory = ledger
        self._open = ledger.open
        self.reader = MemoryUsageReader(ledger, self.clock)
        self.holds = MemoryOverdueHolds(ledger, self.clock)

    async def now(self) -> datetime:
        return self.clock.now()

    async def pass_by(self, account: AccountId, time: timedelta) -> None:
        self.clock.pass_by(time)

    async def freeze(self, account: AccountId, *, frozen: bool = True) -> None:
        desk = self._desks[account]
        desk.account = replace(desk.account, frozen=frozen)

    async def park(self, account: AccountId, *, parked: bool = True) -> None:
        desk = self._desks[account]
        desk.account = replace(desk.account, parked=parked)

    async def books(self, account: AccountId) -> StoredBooks:
        desk = self._desks[account]
        return StoredBooks(
            lots={
                lot.id: LotEntry(lot.source, lot.granted, lot.held, lot.spent) for lot in desk.lots.values()
            },
            reservations=[
                ReservationEntry(each.id, each.state, each.holds, each.counted)
                for each in desk.reservations.values()
            ],
            records=[
                RecordEntry(each.id, each.test, each.cost, each.charged, each.uncollected, each.charges)
                for each in desk.records
            ],
            repayments=[RepaymentEntry(each.lot, each.overdraft, each.amount) for each in desk.repayments],
            limits={
                each.id: LimitEntry(
                    each.since,
                    each.amount,
                    each.held,
                    each.spent,
                    sum(refusal.limit == each.id for refusal in desk.tally.refusals),
                )
                for each in desk.tally.limits.values()
            },
            hourly=sum(each.charged for each in desk.records),
        )

    async def add_limit(self, limit: SpendLimit) -> None:
        self._desks[limit.account].tally.limits[limit.id] = limit

    async def _add(self, account: Account, plan: Plan) -> None:
        self._plans[account.plan] = plan
        await self._open(account)

    async def _terms(self, ref: PlanRef) -> Terms:
        return terms_of(self._plans[ref])
