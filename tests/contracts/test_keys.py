"""Keys as they are kept, by the fake and by PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias

import pytest

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.keys.ports import KeysTx
from domain.ids import AccountId, KeyId, PlanRef, WorkspaceId
from domain.keys.errors import KeyMissing
from domain.keys.key import Key, KeyKind
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds
from tests.fakes.unit_of_work import FakeUnitOfWork

HOUR = timedelta(hours=1)


Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[KeysTx]]


@dataclass(frozen=True)
class Owner:
    """A workspace with an account, whose keys are kept."""

    uow: Uow
    new_id: CountedIds
    workspace: WorkspaceId
    account: AccountId

    def key(self, kind: KeyKind = KeyKind.LIVE) -> Key:
        id, service = self.new_id(), kind is KeyKind.SERVICE
        return Key(
            id=KeyId(id),
            kind=kind,
            digest=id.bytes * 2,
            name="production",
            last_four="abcd",
            workspace=None if service else self.workspace,
            account=None if service else self.account,
            created_at=NOON,
        )

    async def kept(self, kind: KeyKind = KeyKind.LIVE) -> Key:
        key = self.key(kind)
        async with self.uow() as tx:
            await tx.keys.add(key)
        return key


@pytest.fixture
async def owner(bank_database: str | None) -> AsyncIterator[Owner]:
    new_id = CountedIds()
    workspace = Workspace(id=WorkspaceId(new_id()), name="Acme", kind=Kind.TEAM, created_at=NOON)
    account = Account(
        id=AccountId(new_id()),
        workspace=workspace.id,
        plan=PlanRef("api", "team", 1),
        frozen=False,
        anchor=NOON,
    )
    if bank_database is None:
        fake = FakeUnitOfWork({workspace.id: workspace}, {account.id: account})
        yield Owner(fake, new_id, workspace.id, account.id)
        return
    engine = make_engine(bank_database)
    uow = SqlUnitOfWork(make_sessions(engine))
    async with uow() as tx:
        await tx.workspaces.add(workspace)
        await tx.accounts.add(account)
    yield Owner(uow, new_id, workspace.id, account.id)
    await engine.dispose()


@pytest.mark.parametrize("kind", KeyKind)
async def test_what_was_kept_comes_back(owner: Owner, kind: KeyKind) -> None:
    key = await owner.kept(kind)
    async with owner.uow() as tx:
        assert await tx.keys.get(key.id) == key


async def test_what_was_changed_comes_back_changed(owner: Owner) -> None:
    key = await owner.kept()
    changed = replace(key, name="staging", expires_at=NOON + HOUR).revoke(NOON)
    async with owner.uow() as tx:
        await tx.keys.save(changed)
    async with owner.uow() as tx:
        assert await tx.keys.get(key.id) == changed


async def test_what_is_unknown_is_missing(owner: Owner) -> None:
    async with owner.uow() as tx:
        with pytest.raises(KeyMissing):
            await tx.keys.get(KeyId(owner.new_id()))
        with pytest.raises(AccountMissing):
            await tx.accounts.get(AccountId(owner.new_id()))


async def test_a_key_is_added_where_its_account_is_known(owner: Owner) -> None:
    async with owner.uow() as tx:
        account = await tx.accounts.get(owner.account)
    assert (account.workspace, account.frozen) == (owner.workspace, False)


async def test_the_keys_of_a_workspace_are_listed_the_oldest_first(owner: Owner) -> None:
    live, test = await owner.kept(), await owner.kept(KeyKind.TEST)
    await owner.kept(KeyKind.SERVICE)
    async with owner.uow() as tx:
        assert await tx.keys.of(owner.workspace) == [live, test]
        assert await tx.keys.of(WorkspaceId(owner.new_id())) == []


async def test_service_keys_are_listed_by_themselves(owner: Owner) -> None:
    first, second = await owner.kept(KeyKind.SERVICE), await owner.kept(KeyKind.SERVICE)
    await owner.kept()
    async with owner.uow() as tx:
        listed = await tx.keys.of(None)
    assert [each for each in listed if each in (first, second)] == [first, second]
    assert {each.kind for each in listed} == {KeyKind.SERVICE}


async def test_nothing_remains_of_a_block_that_fails(owner: Owner) -> None:
    key, other = await owner.kept(), owner.key()

    async def fail() -> None:
        async with owner.uow() as tx:
            await tx.keys.save(key.revoke(NOON))
            await tx.keys.add(other)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with owner.uow() as tx:
        assert await tx.keys.of(owner.workspace) == [key]


async def test_what_is_read_stays_so_until_the_block_ends(owner: Owner) -> None:
    key = await owner.kept()

    async def revoke(minute: int) -> None:
        async with owner.uow() as tx:
            await tx.keys.save((await tx.keys.get(key.id)).revoke(NOON + timedelta(minutes=minute)))

    async def rename(letter: str) -> None:
        async with owner.uow() as tx:
            read = await tx.keys.get(key.id)
            await tx.keys.save(replace(read, name=read.name + letter))

    await asyncio.gather(*map(revoke, range(1, 6)), *map(rename, "abcdefgh"))
    async with owner.uow() as tx:
        after = await tx.keys.get(key.id)
    assert sorted(after.name.removeprefix("production")) == list("abcdefgh")
    assert after.revoked_at is not None
