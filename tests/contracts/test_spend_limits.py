"""Spend limits and the audit log as they are kept, by the fake and by PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.audit.ports import Filter
from domain.audit.entry import ActorKind, Entry
from domain.ids import AccountId, EntryId, LimitId, PlanRef, WorkspaceId
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import LimitMissing, Per, SpendLimit, SubjectKind
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds
from tests.fakes.unit_of_work import FakeTx, FakeUnitOfWork

Tx: TypeAlias = FakeTx
Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[Tx]]
new_id = CountedIds()
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Books:
    uow: Uow
    workspace: WorkspaceId
    account: AccountId

    def limit(self, *, period: Per = Per.DAY, shadow: bool = False) -> SpendLimit:
        return SpendLimit(
            account=self.account,
            id=LimitId(new_id()),
            subject=new_id(),
            subject_kind=SubjectKind.KEY,
            period=period,
            amount=5,
            shadow=shadow,
            created_at=NOON,
            since=NOON,
        )

    def entry(self, action: str = "key.created", *, minute: int = 0, actor: UUID | None = None) -> Entry:
        return Entry(
            workspace=self.workspace,
            id=EntryId(new_id()),
            at=NOON + minute * MINUTE,
            actor_kind=ActorKind.OPERATOR if actor is None else ActorKind.USER,
            actor=actor,
            address=None if actor is None else "203.0.113.9",
            action=action,
            target="key_1",
            before={"name": "a", "features": ["x"]},
            after={"name": None, "per_minute": 5},
        )

    async def written(self, *entries: Entry) -> None:
        async with self.uow() as tx:
            for each in entries:
                await tx.audit.add(each)

    async def read(self, wanted: Filter, *, after: EntryId | None = None, limit: int = 100) -> list[Entry]:
        async with self.uow() as tx:
            return list(await tx.audit.of(self.workspace, wanted, after=after, limit=limit))


@pytest.fixture
async def books(bank_database: str | None) -> AsyncIterator[Books]:
    workspace = Workspace(id=WorkspaceId(new_id()), name="Acme", kind=Kind.TEAM, created_at=NOON)
    account = Account(
        id=AccountId(new_id()),
        workspace=workspace.id,
        plan=PlanRef("api", "team", 1),
        frozen=False,
        anchor=NOON,
    )
    engine = None if bank_database is None else make_engine(bank_database)
    uow: Uow = FakeUnitOfWork() if engine is None else SqlUnitOfWork(make_sessions(engine))  # type: ignore[assignment] # alike
    async with uow() as tx:
        await tx.workspaces.add(workspace)
        await tx.accounts.add(account)
    yield Books(uow, workspace.id, account.id)
    if engine is not None:
        await engine.dispose()


async def test_limits_are_kept_as_they_are(books: Books) -> None:
    first, second = books.limit(), books.limit(period=Per.TOTAL, shadow=True)
    async with books.uow() as tx:
        await tx.spend_limits.lock(books.account)
        await tx.spend_limits.add(first)
        await tx.spend_limits.add(second)
    async with books.uow() as tx:
        assert await tx.spend_limits.of(books.account) == [first, second]
        assert await tx.spend_limits.get(books.account, second.id) == second
        assert await tx.spend_limits.shadow(books.account, second.id) == []


async def test_what_counts_under_a_limit_is_not_saved_with_it(books: Books) -> None:
    limit = books.limit()
    async with books.uow() as tx:
        await tx.spend_limits.add(limit)
        await tx.spend_limits.save(replace(limit, amount=9, shadow=True, spent=3))
        assert await tx.spend_limits.get(books.account, limit.id) == replace(limit, amount=9, shadow=True)


async def test_what_is_removed_is_gone(books: Books) -> None:
    limit, other = books.limit(), books.limit()
    async with books.uow() as tx:
        await tx.spend_limits.add(limit)
        await tx.spend_limits.add(other)
        await tx.spend_limits.remove(books.account, limit.id)
        await tx.spend_limits.remove(AccountId(new_id()), other.id)
        assert await tx.spend_limits.of(books.account) == [other]


async def test_another_account_has_no_such_limit(books: Books) -> None:
    limit = books.limit()
    async with books.uow() as tx:
        await tx.spend_limits.add(limit)
    for account, id in ((AccountId(new_id()), limit.id), (books.account, LimitId(new_id()))):
        async with books.uow() as tx:
            with pytest.raises(LimitMissing):
                await tx.spend_limits.get(account, id)


async def test_an_account_that_is_not_there_cannot_be_locked(books: Books) -> None:
    async with books.uow() as tx:
        with pytest.raises(AccountMissing):
            await tx.spend_limits.lock(AccountId(new_id()))


async def test_entries_are_read_newest_first_and_page_by_page(books: Books) -> None:
    first, second, third = entries = [books.entry(minute=minute) for minute in range(3)]
    await books.written(*entries)
    assert await books.read(Filter(), limit=2) == [third, second]
    assert await books.read(Filter(), after=second.id) == [first]


async def test_entries_are_narrowed(books: Books) -> None:
    actor = new_id()
    first, second, third = entries = [
        books.entry(),
        books.entry("limit.set", minute=1, actor=actor),
        books.entry(minute=2, actor=actor),
    ]
    await books.written(*entries)
    assert await books.read(Filter(action="key.created")) == [third, first]
    assert await books.read(Filter(actor=actor)) == [third, second]
    assert await books.read(Filter(start=NOON + MINUTE)) == [third, second]
    assert await books.read(Filter(end=NOON + MINUTE)) == [first]
    assert await books.read(Filter(action="key.created", actor=actor, end=NOON + MINUTE)) == []


async def test_another_workspace_has_no_such_entries(books: Books) -> None:
    await books.written(books.entry())
    async with books.uow() as tx:
        assert await tx.audit.of(WorkspaceId(new_id()), Filter(), after=None, limit=9) == []


@pytest.mark.parametrize(
    "change", ["UPDATE audit_entry SET action = 'x'", "DELETE FROM audit_entry", "TRUNCATE audit_entry"]
)
async def test_nobody_changes_what_was_written(engine: AsyncEngine, change: str) -> None:
    uow = SqlUnitOfWork(make_sessions(engine))
    workspace = Workspace(id=WorkspaceId(new_id()), name="Acme", kind=Kind.TEAM, created_at=NOON)
    async with uow() as tx:
        await tx.workspaces.add(workspace)
        await tx.audit.add(Books(uow, workspace.id, AccountId(new_id())).entry())  # type: ignore[arg-type] # as above
    with pytest.raises(IntegrityError, match="append-only"):
        async with engine.begin() as connection:
            await connection.execute(sa.text(change))
