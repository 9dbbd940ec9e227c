"""What was spent of an account's credits in its month, by the fake and by PostgreSQL."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import pytest

from adapters.postgres.credit_alerts import SqlCreditUse
from application.usage.alerts import CreditUse
from domain.email import Email
from domain.identity.user import User
from domain.ids import AccountId, UserId, WorkspaceId
from domain.usage.consumption import Consumption
from domain.workspaces.member import Membership
from domain.workspaces.role import Role
from domain.workspaces.workspace import Kind, Workspace
from tests.contracts.banks import Bank, MemoryBank, a_plan
from tests.contracts.sql_banks import SqlBank, sql_bank
from tests.contracts.tellers import a_teller
from tests.fakes.alerts import FakeCreditUse
from tests.fakes.clock import NOON
from tests.fakes.unit_of_work import FakeTx, FakeUnitOfWork

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


@dataclass
class Counter:
    bank: Bank
    use: CreditUse
    uow: Uow

    async def of(self, account: AccountId, *, limit: int = 100) -> Consumption:
        found, after = list[Consumption](), None
        while page := await self.use.page(after=after, limit=limit):
            found += page
            after = page[-1].account
        (mine,) = [each for each in found if each.account == account]
        return mine

    async def figures(self, account: AccountId) -> tuple[int, int]:
        found = await self.of(account)
        return found.left, found.spent


@pytest.fixture
async def counter(bank: Bank) -> Counter:
    if isinstance(bank, MemoryBank):
        work = FakeUnitOfWork()
        return Counter(bank, FakeCreditUse(bank.memory, work, bank.clock), work)
    assert isinstance(bank, SqlBank)
    return Counter(bank, SqlCreditUse(bank.engine), bank.uow)  # type: ignore[arg-type] # its transactions are alike


async def test_what_is_held_is_not_spent(counter: Counter) -> None:
    teller = await a_teller(counter.bank, 100)
    await teller.hold(10)
    await teller.commit(await teller.hold(30), 25)
    await teller.commit(await teller.hold(5, test=True), 5)
    found = await counter.of(teller.account, limit=1)
    assert (found.left, found.spent, found.granted) == (75, 25, 100)
    balance = await teller.balance()
    assert (found.workspace, found.product) == (balance.account.workspace, balance.account.plan.product)


async def test_what_is_void_or_lent_is_not_left(counter: Counter) -> None:
    teller = await a_teller(counter.bank, plan=a_plan(overdraft=50))
    await teller.grant(10)
    await teller.commit(await teller.hold(10), 15)
    assert await counter.figures(teller.account) == (0, 15)
    other = await a_teller(counter.bank)
    await other.grant(10, expires_at=await counter.bank.now() + HOUR)
    assert await counter.figures(other.account) == (10, 0)
    await counter.bank.pass_by(other.account, 2 * HOUR)
    assert await counter.figures(other.account) == (0, 0)


async def test_a_month_begins_with_the_account_and_counts_what_was_spent_since(counter: Counter) -> None:
    bank = counter.bank
    teller = await a_teller(bank, 100)
    await teller.commit(await teller.hold(30), 30)
    first = await counter.of(teller.account)
    await bank.pass_by(teller.account, timedelta(days=32))
    later = await counter.of(teller.account)
    assert (later.left, later.spent) == (70, 0)
    await teller.commit(await teller.hold(7), 7)
    assert await counter.figures(teller.account) == (63, 7)
    assert first.since <= await bank.now()


async def test_a_threshold_is_marked_once_for_each_month(counter: Counter) -> None:
    teller = await a_teller(counter.bank, 100)
    found, at = await counter.of(teller.account), await counter.bank.now()
    assert found.told == 0
    for thresholds, marked in (([80], True), ([80], False), ([80, 100], True), ([80], False)):
        async with counter.uow() as tx:
            assert await tx.alerts.mark(found, thresholds, at) is marked
    assert (await counter.of(teller.account)).told == 100
    async with counter.uow() as tx:
        assert await tx.alerts.mark(replace(found, since=found.since + DAY), [80, 100], at)


async def test_whoever_may_pay_for_more_is_found(counter: Counter) -> None:
    workspace = Workspace(id=WorkspaceId(uuid4()), name="Acme", kind=Kind.TEAM, created_at=NOON)
    people = [
        (Role.OWNER, None),
        (Role.ADMIN, None),
        (Role.ADMIN, NOON),
        (Role.MEMBER, None),
    ]
    addresses = []
    async with counter.uow() as tx:
        await tx.workspaces.add(workspace)
        for role, disabled_at in people:
            id = UserId(counter.bank.new_id())
            email = Email(f"{id.hex}@Example.org", f"{id.hex}@example.org")
            addresses.append(email.text)
            await tx.users.add(
                User(id=id, email=email, name="Ada", password=None, created_at=NOON, confirmed_at=NOON)
            )
            await tx.members.add(
                Membership(
                    workspace=workspace.id, user=id, role=role, joined_at=NOON, disabled_at=disabled_at
                )
            )
    async with counter.uow() as tx:
        assert await tx.members.admins(workspace.id) == addresses[:2]


@pytest.fixture
async def own_bank(own_database: str) -> AsyncIterator[SqlBank]:
    async with sql_bank(own_database) as bank:
        yield bank


async def test_deleted_workspaces_are_left_out(own_bank: SqlBank) -> None:
    teller = await a_teller(own_bank, 100)
    use = SqlCreditUse(own_bank.engine)
    assert len(await use.page(after=None, limit=10)) == 1
    assert await use.page(after=teller.account, limit=10) == []
    await own_bank.run("UPDATE workspace SET deleted_at = now()")
    assert await use.page(after=None, limit=10) == []


@pytest.mark.parametrize("minutes", [0, 1, 29, 59])
async def test_of_the_hour_in_which_a_month_begins_what_came_before_does_not_count(
    own_bank: SqlBank, minutes: int
) -> None:
    teller = await a_teller(own_bank, 100)
    await teller.commit(await teller.hold(30), 30)
    start = f"date_trunc('hour', now()) - interval '1 hour' + interval '{minutes} min'"
    await own_bank.run(f"UPDATE account SET anchor = {start}")  # noqa: S608 - a number
    for at, counts in (("- interval '1 second'", False), ("+ interval '1 second'", True)):
        await own_bank.run(
            f"UPDATE usage_record SET recorded_at = {start} {at}"  # noqa: S608 - as above
        )
        await own_bank.run(
            "UPDATE usage_hour SET hour = (SELECT date_trunc('hour', recorded_at) FROM usage_record)"
        )
        (found,) = await SqlCreditUse(own_bank.engine).page(after=None, limit=10)
        assert found.spent == (30 if counts else 0)
