"""Parked accounts and operators as they are kept, by the fake and by PostgreSQL."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

from application.usage.parking import Parked
from domain.email import Email
from domain.identity.user import User
from domain.ids import AccountId, PlanRef, UserId, WorkspaceId
from domain.usage.account import Account
from domain.workspaces.workspace import Kind, Workspace
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds
from tests.fakes.unit_of_work import FakeTx

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]
new_id = CountedIds()
HOUR = timedelta(hours=1)


async def an_account(uow: Uow) -> Account:
    workspace = Workspace(id=WorkspaceId(new_id()), name="Acme", kind=Kind.TEAM, created_at=NOON)
    account = Account(
        id=AccountId(new_id()),
        workspace=workspace.id,
        plan=PlanRef("api", "team", 1),
        frozen=False,
        anchor=NOON,
    )
    async with uow() as tx:
        await tx.workspaces.add(workspace)
        await tx.accounts.add(account)
    return account


async def test_what_is_parked_stays_so_for_the_first_reason(uow: Uow) -> None:
    first, second, other = [await an_account(uow) for _ in range(3)]
    async with uow() as tx:
        assert await tx.accounts.park(second.id, reason="odd", at=NOON)
        assert await tx.accounts.park(first.id, reason="odd", at=NOON + HOUR)
        assert not await tx.accounts.park(second.id, reason="odder", at=NOON + 2 * HOUR)
        assert not await tx.accounts.park(AccountId(new_id()), reason="odd", at=NOON)
    async with uow() as tx:
        assert await tx.accounts.get(first.id) == replace(first, parked=True)
        assert await tx.accounts.get(other.id) == other
        ours = {first.id, second.id, other.id}
        assert [each for each in await tx.accounts.parked() if each.account in ours] == [
            Parked(second.id, second.workspace, NOON, "odd"),
            Parked(first.id, first.workspace, NOON + HOUR, "odd"),
        ]
        assert await tx.accounts.unpark(first.id)
        assert not await tx.accounts.unpark(first.id)
        assert await tx.accounts.get(first.id) == first
        assert await tx.accounts.unpark(second.id)


async def test_operators_are_found(uow: Uow) -> None:
    people = []
    for operator in (True, False, True):
        id = UserId(new_id())
        email = Email(f"{id.hex}@Example.org", f"{id.hex}@example.org")
        people.append(
            User(
                id=id,
                email=email,
                name="Ada",
                password=None,
                created_at=NOON,
                confirmed_at=NOON,
                operator=operator,
            )
        )
    async with uow() as tx:
        for each in people:
            await tx.users.add(each)
    async with uow() as tx:
        found = [each for each in await tx.users.operators() if each in people]
    assert found == [people[0], people[2]]
