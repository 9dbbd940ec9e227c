"""A ledger and what reads it, in memory and in PostgreSQL, and ways to let time pass and to see the rows."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.memory.ledger import MemoryLedger
from adapters.memory.usage import MemoryUsageReader
from adapters.postgres.audit import SqlAuditor
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.ledger import SqlLedger
from adapters.postgres.readers.usage import SqlUsageReader
from adapters.postgres.terms import SqlTerms
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.usage.ports import Ledger, UsageReader
from application.usage.terms import terms_of
from domain.catalog.feature import OnTimeout
from domain.catalog.plan import Plan, Tariff
from domain.catalog.publication import Change, Outcome
from domain.credits import MICRO, ONE, PICO, Price
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.account import Account
from domain.usage.terms import Terms
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes import catalog
from tests.fakes.clock import SetClock
from tests.fakes.ids import CountedIds
from tests.fakes.ledger_books import (
    LotEntry,
    RecordEntry,
    RepaymentEntry,
    ReservationEntry,
    StoredBooks,
    assert_books_add_up,
)
from tests.fakes.meter import CountingMeter
from tests.servers import eventually

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
    async def books(self, account: AccountId) -> StoredBooks:
        """As they are stored, whether or not time has done something to them since."""

    @abstractmethod
    async def _add(self, account: Account, plan: Plan) -> None: ...


class MemoryBank(Bank):
    def __init__(self) -> None:
        super().__init__(CountedIds())
        self._clock = SetClock()
        self._plans: dict[PlanRef, Plan] = {}
        ledger = MemoryLedger(self._terms, self._clock, self.new_id)
        self.ledger, self._desks = ledger, ledger.desks
        self._open = ledger.open
        self.reader = MemoryUsageReader(ledger, self._clock)

    async def now(self) -> datetime:
        return self._clock.now()

    async def pass_by(self, account: AccountId, time: timedelta) -> None:
        self._clock.pass_by(time)

    async def freeze(self, account: AccountId, *, frozen: bool = True) -> None:
        desk = self._desks[account]
        desk.account = replace(desk.account, frozen=frozen)

    async def books(self, account: AccountId) -> StoredBooks:
        desk = self._desks[account]
        return StoredBooks(
            lots={
                lot.id: LotEntry(lot.source, lot.granted, lot.held, lot.spent) for lot in desk.lots.values()
            },
            reservations=[
                ReservationEntry(each.id, each.state, each.holds) for each in desk.reservations.values()
            ],
            records=[
                RecordEntry(each.id, each.test, each.cost, each.charged, each.uncollected, each.charges)
                for each in desk.records
            ],
            repayments=[RepaymentEntry(each.lot, each.overdraft, each.amount) for each in desk.repayments],
            hourly=sum(each.charged for each in desk.records),
        )

    async def _add(self, account: Account, plan: Plan) -> None:
        self._plans[account.plan] = plan
        await self._open(account)

    async def _terms(self, ref: PlanRef) -> Terms:
        return terms_of(self._plans[ref])


_TIME = sa.bindparam("time", type_=sa.Interval())
_SHIFTS = (
    sa.text("""UPDATE lot SET starts_at = starts_at - :time, created_at = created_at - :time,
        expires_at = CASE WHEN expires_at > '9000-01-01' THEN expires_at ELSE expires_at - :time END
        WHERE account_id = :account""").bindparams(_TIME),
    sa.text("""UPDATE reservation SET created_at = created_at - :time, expires_at = expires_at - :time,
        started_at = started_at - :time WHERE account_id = :account""").bindparams(_TIME),
    sa.text("""UPDATE account SET anchor = anchor - :time, period_end = period_end - :time
        WHERE id = :account""").bindparams(_TIME),
    sa.text(
        "UPDATE usage_record SET recorded_at = recorded_at - :time WHERE account_id = :account"
    ).bindparams(_TIME),
    # In two steps, because hours that follow each other would meet in one.
    sa.text("UPDATE usage_hour SET hour = hour - interval '36500 days' WHERE account_id = :account"),
    sa.text("""UPDATE usage_hour SET hour = hour + interval '36500 days' - :time
        WHERE account_id = :account""").bindparams(_TIME),
)
_ROWS: Mapping[str, str] = {
    "lots": "SELECT id, source, granted, held, spent FROM lot WHERE account_id = :account",
    "reservations": "SELECT id, state, holds FROM reservation WHERE account_id = :account",
    "records": """SELECT id, test, cost, charged, uncollected, charges FROM usage_record
                  WHERE account_id = :account""",
    "repayments": "SELECT lot_id, overdraft_id, amount FROM repayment WHERE account_id = :account",
    "hours": "SELECT coalesce(sum(charged), 0) FROM usage_hour WHERE account_id = :account",
}
_FREEZE = """UPDATE workspace SET frozen_at = CASE WHEN :frozen THEN now() END
             FROM account WHERE account.workspace_id = workspace.id AND account.id = :account"""


class SqlBank(Bank):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(CountedIds())
        self.engine = engine
        self.uow = SqlUnitOfWork(make_sessions(engine))
        terms = SqlTerms()
        self.ledger: SqlLedger = SqlLedger(engine, terms, self.new_id, self.meter)
        self.reader = SqlUsageReader(engine, terms, self.new_id)
        self.auditor = SqlAuditor(engine)

    async def check(self) -> None:
        await super().check()
        assert not [
            each for each in await self.auditor.audit(seconds=60) if each.account in set(self.accounts)
        ]

    async def run(self, statement: str, **values: object) -> None:
        async with self.engine.begin() as connection:
            await connection.execute(sa.text(statement), values)

    async def now(self) -> datetime:
        async with self.engine.connect() as connection:
            now: datetime = (await connection.execute(sa.text("SELECT clock_timestamp()"))).scalar_one()
        return now

    async def pass_by(self, account: AccountId, time: timedelta) -> None:
        """The database's clock cannot be set: what it is compared with moves into the past instead."""
        values = {"account": account, "time": time}
        async with self.engine.begin() as connection:
            for shift in _SHIFTS:
                await connection.execute(shift, {name: values[name] for name in shift.compile().params})

    async def freeze(self, account: AccountId, *, frozen: bool = True) -> None:
        await self.run(_FREEZE, account=account, frozen=frozen)

    async def books(self, account: AccountId) -> StoredBooks:
        snapshot = self.engine.execution_options(isolation_level="REPEATABLE READ")
        async with snapshot.connect() as connection:
            rows = {
                name: (await connection.execute(sa.text(sql), {"account": account})).all()
                for name, sql in _ROWS.items()
            }
        return StoredBooks(
            lots={id: LotEntry(*figures) for id, *figures in rows["lots"]},
            reservations=[
                ReservationEntry(id, state, _parts(holds)) for id, state, holds in rows["reservations"]
            ],
            records=[
                RecordEntry(row.id, row.test, row.cost, row.charged, row.uncollected, _parts(row.charges))
                for row in rows["records"]
            ],
            repayments=[RepaymentEntry(*row) for row in rows["repayments"]],
            hourly=int(rows["hours"][0][0]),
        )

    async def _add(self, account: Account, plan: Plan) -> None:
        workspace = Workspace(id=account.workspace, name="Acme", kind=Kind.TEAM, created_at=account.anchor)
        async with self.uow() as tx:
            await tx.catalog.apply([Change(Outcome.NEW, plan)], at=account.anchor)
            await tx.workspaces.add(workspace)
            await tx.accounts.add(account)


def _parts(stored: list[Any]) -> list[tuple[UUID, int]]:
    return [(UUID(lot), amount) for lot, amount in stored]


_BLOCKED = sa.text(
    "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
)


async def until_it_blocks(connection: AsyncConnection) -> None:
    """Until somebody waits for a lock that ``connection`` holds."""

    async def so() -> bool:
        return bool(await connection.scalar(_BLOCKED))

    await eventually(so)


@asynccontextmanager
async def sql_bank(url: str) -> AsyncIterator[SqlBank]:
    engine = make_engine(url)
    bank = SqlBank(engine)
    yield bank
    await bank.ledger.close()
    await engine.dispose()
