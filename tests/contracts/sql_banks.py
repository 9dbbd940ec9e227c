"""The ledger in PostgreSQL."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.audit import SqlAuditor
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.ledger import SqlLedger
from adapters.postgres.readers.overdue import SqlOverdueHolds
from adapters.postgres.readers.usage import SqlUsageReader
from adapters.postgres.terms import SqlTerms
from adapters.postgres.unit_of_work import SqlUnitOfWork
from domain.catalog.plan import Plan
from domain.catalog.publication import Change, Outcome
from domain.ids import AccountId
from domain.usage.account import Account
from domain.usage.spend_limit import SpendLimit
from domain.workspaces.workspace import Kind, Workspace
from tests.contracts.banks import Bank
from tests.fakes.ids import CountedIds
from tests.fakes.ledger_books import (
    LimitEntry,
    LotEntry,
    RecordEntry,
    RepaymentEntry,
    ReservationEntry,
    StoredBooks,
)
from tests.servers import eventually

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
    "limits": """SELECT id, since, amount, held, spent,
                        (SELECT coalesce(sum(count), 0) FROM shadow_refusal s
                         WHERE s.account_id = l.account_id AND s.limit_id = l.id)
                 FROM spend_limit l WHERE account_id = :account""",
    "reservations": "SELECT id, state, holds, counted FROM reservation WHERE account_id = :account",
    "records": """SELECT id, test, cost, charged, uncollected, charges FROM usage_record
                  WHERE account_id = :account""",
    "repayments": "SELECT lot_id, overdraft_id, amount FROM repayment WHERE account_id = :account",
    "hours": "SELECT coalesce(sum(charged), 0) FROM usage_hour WHERE account_id = :account",
}
_FREEZE = """UPDATE workspace SET frozen_at = CASE WHEN :frozen THEN now() END
             FROM account WHERE account.workspace_id = workspace.id AND account.id = :account"""

_PARK = """UPDATE account SET parked_at = CASE WHEN :parked THEN now() END,
           parked_reason = CASE WHEN :parked THEN 'odd' END WHERE id = :account"""


class SqlBank(Bank):
    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(CountedIds())
        self.engine = engine
        self.uow = SqlUnitOfWork(make_sessions(engine))
        terms = SqlTerms()
        self.ledger: SqlLedger = SqlLedger(engine, terms, self.new_id, self.meter)
        self.reader = SqlUsageReader(engine, terms, self.new_id)
        self.holds = SqlOverdueHolds(engine)
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

    async def park(self, account: AccountId, *, parked: bool = True) -> None:
        await self.run(_PARK, account=account, parked=parked)

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
                ReservationEntry(id, state, _parts(holds), _counted(counted))
                for id, state, holds, counted in rows["reservations"]
            ],
            records=[
                RecordEntry(row.id, row.test, row.cost, row.charged, row.uncollected, _parts(row.charges))
                for row in rows["records"]
            ],
            repayments=[RepaymentEntry(*row) for row in rows["repayments"]],
            limits={id: LimitEntry(*figures) for id, *figures in rows["limits"]},
            hourly=int(rows["hours"][0][0]),
        )

    async def add_limit(self, limit: SpendLimit) -> None:
        async with self.uow() as tx:
            await tx.spend_limits.lock(limit.account)
            await tx.spend_limits.add(limit)

    async def _add(self, account: Account, plan: Plan) -> None:
        workspace = Workspace(id=account.workspace, name="Acme", kind=Kind.TEAM, created_at=account.anchor)
        async with self.uow() as tx:
            await tx.catalog.apply([Change(Outcome.NEW, plan)], at=account.anchor)
            await tx.workspaces.add(workspace)
            await tx.accounts.add(account)


def _parts(stored: list[Any]) -> list[tuple[UUID, int]]:
    return [(UUID(lot), amount) for lot, amount in stored]


def _counted(stored: list[Any]) -> list[tuple[UUID, datetime, int]]:
    return [(UUID(limit), datetime.fromisoformat(since), amount) for limit, since, amount in stored]


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
