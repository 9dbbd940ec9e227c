"""Keys and accounts are found fast, and what is said of them is never a second old."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.directory import AGE, SqlAccountDirectory, SqlKeyring
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.listener import KEYS_CHANGED, Listener
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.actor import Operator
from application.audit.record import Record
from application.keys.keys import CreateKey, NewKey, RevokeKey, SaveKey, TellKey
from application.keys.ports import AccountDirectory, Keyring
from application.notifications.post import PostMail
from application.workspaces.workspaces import FreezeWorkspace
from domain.errors import DatabaseUnavailable
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.keys.key import Key, KeyKind
from domain.usage.account import Account
from domain.usage.errors import AccountMissing
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON, SetClock, SetMonotonic
from tests.fakes.ids import CountedIds
from tests.fakes.keyring import FakeDirectory, FakeKeyring
from tests.fakes.people import PlainSecrecy
from tests.fakes.proxy import lossy
from tests.fakes.unit_of_work import FakeUnitOfWork
from tests.servers import eventually

TELL = TellKey(PostMail(PlainSecrecy()))


@dataclass(frozen=True)
class Office:
    """Where keys are made and revoked, and where they are looked up."""

    work: FakeUnitOfWork | SqlUnitOfWork
    keyring: Keyring
    directory: AccountDirectory
    account: Account
    time: SetMonotonic

    async def make(self) -> NewKey:
        record = Record(SetClock(), CountedIds())
        create = CreateKey(self.work, SetClock(), CountedIds(), secret, record, TELL)
        return await create(Operator(), KeyKind.LIVE, name="production", account=self.account.id)

    async def revoke(self, key: Key) -> Key:
        save = SaveKey(self.work, Record(SetClock(), CountedIds()), TELL)
        return await RevokeKey(save, SetClock())(Operator(), key.id)


def secret(count: int) -> bytes:
    return CountedIds()().bytes * (count // 16)


@asynccontextmanager
async def sql_office(engine: AsyncEngine) -> AsyncIterator[Office]:
    time, sessions, account = SetMonotonic(), make_sessions(engine), an_account()
    work = SqlUnitOfWork(sessions)
    async with work() as tx:
        await tx.workspaces.add(workspace_of(account))
        await tx.accounts.add(account)
    yield Office(work, SqlKeyring(sessions, time), SqlAccountDirectory(sessions, time), account, time)


def an_account() -> Account:
    new_id = CountedIds()
    return Account(
        id=AccountId(new_id()),
        workspace=WorkspaceId(new_id()),
        plan=PlanRef("api", "team", 2),
        frozen=False,
        anchor=NOON,
    )


def workspace_of(account: Account) -> Workspace:
    return Workspace(id=account.workspace, name="Acme", kind=Kind.TEAM, created_at=NOON)


@pytest.fixture
async def office(bank_database: str | None) -> AsyncIterator[Office]:
    if bank_database is None:
        account = an_account()
        work = FakeUnitOfWork({account.workspace: workspace_of(account)}, {account.id: account})
        yield Office(work, FakeKeyring(work), FakeDirectory(work), account, SetMonotonic())
        return
    engine = make_engine(bank_database)
    async with sql_office(engine) as office:
        yield office
    await engine.dispose()


@pytest.fixture
async def postgres_office(engine: AsyncEngine) -> AsyncIterator[Office]:
    async with sql_office(engine) as office:
        yield office


async def test_a_key_is_found_by_its_digest(office: Office) -> None:
    made = await office.make()
    assert await office.keyring.find(made.key.digest) == made.key
    assert await office.keyring.find(bytes(32)) is None


async def test_a_key_that_is_made_is_found_at_once_by_whoever_looked_before(office: Office) -> None:
    made = await office.make()
    assert office.keyring.known(made.key.digest) is None
    assert await office.keyring.find(made.key.digest[::-1]) is None
    assert await office.keyring.find(made.key.digest) == made.key


async def test_a_revoked_key_is_found_revoked_within_a_second(office: Office) -> None:
    made = await office.make()
    await office.keyring.find(made.key.digest)
    revoked = await office.revoke(made.key)
    office.time.seconds += 1
    assert office.keyring.known(made.key.digest) is None
    assert await office.keyring.find(made.key.digest) == revoked


async def test_an_account_is_found_by_its_id(office: Office) -> None:
    assert await office.directory.find(office.account.id) == office.account
    with pytest.raises(AccountMissing):
        await office.directory.find(AccountId(CountedIds()()))


async def test_an_account_is_found_frozen_within_a_second(office: Office) -> None:
    await office.directory.find(office.account.id)
    record = Record(SetClock(), CountedIds())
    await FreezeWorkspace(office.work, SetClock(), record)(Operator(), office.account.workspace)
    office.time.seconds += 1
    assert (await office.directory.find(office.account.id)).frozen


async def test_postgresql_is_asked_once_while_the_answer_is_young(postgres_office: Office) -> None:
    office = postgres_office
    made = await office.make()
    assert await office.keyring.find(made.key.digest) == made.key
    await office.revoke(made.key)
    office.time.seconds += AGE - 0.01
    assert office.keyring.known(made.key.digest) == made.key
    assert await office.keyring.find(made.key.digest) == made.key
    office.time.seconds += 0.02
    found = await office.keyring.find(made.key.digest)
    assert found is not None
    assert found.revoked_at == NOON
    assert AGE < 1


async def test_a_revocation_is_heard_before_the_answer_is_old(
    postgres_office: Office, contract_database: str
) -> None:
    office, hearing = postgres_office, make_engine(contract_database)
    keyring = office.keyring
    assert isinstance(keyring, SqlKeyring)
    listener = Listener(
        hearing, {KEYS_CHANGED: lambda digest: keyring.cache.forget(bytes.fromhex(digest))}, retry=0.05
    )
    listener.start()
    await asyncio.wait_for(listener.ready.wait(), 20)
    made, other = await office.make(), await office.make()
    await keyring.find(made.key.digest)
    await keyring.find(other.key.digest)
    revoked = await office.revoke(made.key)

    async def heard() -> bool:
        return keyring.known(made.key.digest) is None

    await eventually(heard)
    assert await keyring.find(made.key.digest) == revoked
    assert keyring.known(other.key.digest) == other.key
    await listener.close()
    await hearing.dispose()


async def test_nothing_is_found_while_the_database_is_away(contract_database: str) -> None:
    async with lossy(contract_database) as proxy:
        engine = make_engine(proxy.url)
        async with sql_office(engine) as office:
            made = await office.make()
            await office.keyring.find(made.key.digest)
            proxy.away = True
            proxy.cut()
            assert await office.keyring.find(made.key.digest) == made.key
            office.time.seconds += 1
            with pytest.raises(DatabaseUnavailable):
                await office.keyring.find(made.key.digest)
            with pytest.raises(DatabaseUnavailable):
                await office.directory.find(office.account.id)
            with pytest.raises(DatabaseUnavailable):
                await office.revoke(made.key)
            proxy.away = False
            assert await office.keyring.find(made.key.digest) == made.key
        await engine.dispose()
