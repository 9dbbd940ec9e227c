"""Workspaces and their accounts as they are kept, by the fake and by PostgreSQL."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias

import pytest

from application.workspaces.ports import WorkspacesTx
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.account import Account
from domain.workspaces.workspace import Kind, Workspace, WorkspaceMissing
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[WorkspacesTx]]

new_id = CountedIds()


@pytest.fixture
async def workspace(uow: Uow) -> Workspace:
    workspace = Workspace(id=WorkspaceId(new_id()), name="Acme", kind=Kind.TEAM, created_at=NOON)
    async with uow() as tx:
        await tx.workspaces.add(workspace)
    return workspace


def account_of(workspace: Workspace, product: str = "api") -> Account:
    return Account(
        id=AccountId(new_id()),
        workspace=workspace.id,
        plan=PlanRef(product, "team", 3),
        frozen=False,
        anchor=NOON,
        period_end=NOON + timedelta(days=30),
    )


async def test_what_was_added_comes_back(uow: Uow, workspace: Workspace) -> None:
    async with uow() as tx:
        assert await tx.workspaces.get(workspace.id) == workspace


async def test_what_was_saved_comes_back(uow: Uow, workspace: Workspace) -> None:
    changed = replace(workspace, name="Acme & Sons").freeze(NOON + timedelta(days=1))
    async with uow() as tx:
        await tx.workspaces.save(changed)
    async with uow() as tx:
        assert await tx.workspaces.get(workspace.id) == changed
        await tx.workspaces.save(changed.unfreeze())
    async with uow() as tx:
        assert await tx.workspaces.get(workspace.id) == changed.unfreeze()


async def test_what_is_unknown_is_missing(uow: Uow) -> None:
    async with uow() as tx:
        with pytest.raises(WorkspaceMissing):
            await tx.workspaces.get(WorkspaceId(new_id()))


async def test_all_of_them_are_listed_the_oldest_first(uow: Uow, workspace: Workspace) -> None:
    later = Workspace(id=WorkspaceId(new_id()), name="Beta", kind=Kind.PERSONAL, created_at=NOON)
    own, other, theirs = account_of(workspace), account_of(workspace, "personal"), account_of(later)
    async with uow() as tx:
        await tx.workspaces.add(later)
        for account in (theirs, other, own):
            await tx.accounts.add(account)
    async with uow() as tx:
        workspaces, accounts = await tx.workspaces.all(), await tx.accounts.all()
    assert [each for each in workspaces if each.id in {workspace.id, later.id}] == [workspace, later]
    ours = {own.id, other.id, theirs.id}
    assert [each for each in accounts if each.id in ours] == [own, other, theirs]


async def test_an_account_is_frozen_with_its_workspace(uow: Uow, workspace: Workspace) -> None:
    account = account_of(workspace)
    async with uow() as tx:
        await tx.accounts.add(account)
        await tx.workspaces.save(workspace.freeze(NOON))
    async with uow() as tx:
        (frozen,) = [each for each in await tx.accounts.all() if each.id == account.id]
    assert frozen == replace(account, frozen=True)


async def test_nothing_remains_of_a_block_that_fails(uow: Uow, workspace: Workspace) -> None:
    async def fail() -> None:
        async with uow() as tx:
            await tx.workspaces.save(workspace.freeze(NOON))
            await tx.accounts.add(account_of(workspace))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    async with uow() as tx:
        assert await tx.workspaces.get(workspace.id) == workspace
        assert not [each for each in await tx.accounts.all() if each.workspace == workspace.id]


async def test_what_is_read_stays_so_until_the_block_ends(uow: Uow, workspace: Workspace) -> None:
    async def rename(letter: str) -> None:
        async with uow() as tx:
            read = await tx.workspaces.get(workspace.id)
            await tx.workspaces.save(replace(read, name=read.name + letter))

    await asyncio.gather(*map(rename, "abcdefgh"))
    async with uow() as tx:
        after = await tx.workspaces.get(workspace.id)
    assert sorted(after.name.removeprefix("Acme")) == list("abcdefgh")
