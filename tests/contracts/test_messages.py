"""The outbox, the inbox and dead letters, as they are kept by the fake and by PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta
from typing import TypeAlias
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

import adapters.postgres.outbox as module
from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.outbox import SqlOutboxQueue
from adapters.postgres.unit_of_work import SqlUnitOfWork
from domain.events import DeadLetter, DeadLetterMissing, EventId
from domain.ids import AccountId, ReservationId, WorkspaceId
from domain.usage.queued_run import RunQueued
from tests.conftest import copied
from tests.contracts.conftest import SERVERS
from tests.fakes.clock import NOON
from tests.fakes.unit_of_work import FakeTx

Uow: TypeAlias = Callable[[], AbstractAsyncContextManager[FakeTx]]


def a_letter(**changed: object) -> DeadLetter:
    letter = DeadLetter(
        consumer=f"mail-{uuid4().hex}",
        id=EventId(uuid4()),
        kind=f"a.happened.{uuid4().hex}",
        version=1,
        workspace=WorkspaceId(uuid4()),
        occurred_at=NOON,
        body='{"a": "\\u0000"}',
        reason="upstream_failed, 4 times",
        attempts=4,
        died_at=NOON,
    )
    return replace(letter, **changed)  # type: ignore[arg-type] # as a test wants


def happened(workspace: WorkspaceId | None = None) -> RunQueued:
    ids = AccountId(uuid4()), ReservationId(uuid4())
    return RunQueued(account=ids[0], run=ids[1], feature="echo", workspace=workspace or WorkspaceId(uuid4()))


async def test_a_message_is_marked_once(uow: Uow) -> None:
    event = EventId(uuid4())
    async with uow() as tx:
        assert not await tx.inbox.has("mail", event)
        assert [await tx.inbox.take("mail", event) for _ in range(2)] == [True, False]
    async with uow() as tx:
        assert await tx.inbox.has("mail", event)
        assert not await tx.inbox.has("runs", event)
        assert await tx.inbox.take("runs", event)


async def test_of_two_that_act_on_one_at_once_one_does(uow: Uow) -> None:
    event = EventId(uuid4())

    async def act() -> bool:
        async with uow() as tx:
            return await tx.inbox.take("mail", event)

    assert sum(await asyncio.gather(*(act() for _ in range(8)))) == 1


async def test_a_mark_goes_with_the_effect_that_failed(uow: Uow) -> None:
    event = EventId(uuid4())

    async def act() -> None:
        async with uow() as tx:
            await tx.inbox.take("mail", event)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await act()
    async with uow() as tx:
        assert await tx.inbox.take("mail", event)


async def test_a_dead_letter_is_kept_until_it_is_removed(uow: Uow) -> None:
    letter = a_letter()
    async with uow() as tx:
        await tx.dead_letters.add(letter)
        assert not await tx.dead_letters.add(replace(letter, reason="again"))
        assert await tx.dead_letters.get(letter.consumer, letter.id) == letter
        await tx.dead_letters.remove(letter)
        with pytest.raises(DeadLetterMissing):
            await tx.dead_letters.get(letter.consumer, letter.id)


async def test_dead_letters_are_paged_by_when_they_died(uow: Uow) -> None:
    consumer = f"mail-{uuid4().hex}"
    letters = [a_letter(consumer=consumer, died_at=NOON + timedelta(seconds=nth)) for nth in (2, 0, 1)]
    async with uow() as tx:
        for each in letters:
            await tx.dead_letters.add(each)
        second, third, first = letters[2], letters[0], letters[1]
        page = tx.dead_letters.page
        assert await page(consumer=consumer, kind=None, after=None, limit=2) == [first, second]
        after = (second.died_at, second.id)
        assert await page(consumer=consumer, kind=None, after=after, limit=2) == [third]
        assert await page(consumer=None, kind=first.kind, after=None, limit=2) == [first]
        assert await page(consumer=consumer, kind="other", after=None, limit=2) == []


@pytest.fixture(params=SERVERS)
async def engine(request: pytest.FixtureRequest, embedded_server: str) -> AsyncIterator[AsyncEngine]:
    """Of a database that is this test's alone."""
    if request.param == "embedded":
        async with copied(embedded_server) as url:
            engine = make_engine(url)
            yield engine
            await engine.dispose()
        return
    engine = make_engine(request.getfixturevalue("installed_database"))
    async with engine.begin() as connection:
        await connection.execute(sa.text("TRUNCATE outbox"))
    yield engine
    await engine.dispose()


async def post(engine: AsyncEngine, *events: RunQueued) -> None:
    async with SqlUnitOfWork(make_sessions(engine))() as tx:
        await tx.outbox.add(*events)


async def test_rows_are_claimed_in_their_order_and_by_one_relay(engine: AsyncEngine) -> None:
    sent = [happened() for _ in range(60)]
    for each in sent:
        await post(engine, each)
    queue = SqlOutboxQueue(engine)
    batches = await asyncio.gather(*(queue.claim(10) for _ in range(8)))
    positions = [each.position for batch in batches for each in batch]
    assert (len(positions), len(set(positions))) == (60, 60)
    for batch in batches:
        assert [each.position for each in batch] == sorted(each.position for each in batch)
    await queue.remove(positions[:50])
    await queue.give_back(positions[50:])
    again = await queue.claim(100)
    assert {each.position for each in again} == set(positions[50:])
    first = next(each for batch in batches for each in batch).envelope
    assert (first.kind, first.version, first.consumer) == ("run.queued", 1, None)


async def test_what_a_dead_relay_had_is_to_be_had_again(
    engine: AsyncEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CLAIM", timedelta(0))
    await post(engine, happened())
    queue = SqlOutboxQueue(engine)
    assert len(await queue.claim(10)) == 1
    assert len(await queue.claim(10)) == 1
    monkeypatch.undo()
    assert len(await queue.claim(10)) == 1
    assert await queue.claim(10) == []


async def test_what_comes_behind_in_a_workspace_waits_for_the_relay_that_has_what_is_before(
    engine: AsyncEngine,
) -> None:
    mine, other = WorkspaceId(uuid4()), WorkspaceId(uuid4())
    await post(engine, happened(mine), happened(mine), happened(other))
    queue = SqlOutboxQueue(engine)
    (first,) = await queue.claim(1)
    (foreign,) = await queue.claim(10)
    assert (first.envelope.workspace, foreign.envelope.workspace) == (mine, other)
    await queue.remove([first.position])
    (second,) = await queue.claim(10)
    assert second.envelope.workspace == mine


async def test_what_is_rolled_back_is_told_to_nobody(engine: AsyncEngine) -> None:
    async def act() -> None:
        async with SqlUnitOfWork(make_sessions(engine))() as tx:
            await tx.outbox.add(happened())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await act()
    assert await SqlOutboxQueue(engine).claim(10) == []


async def test_a_replayed_letter_is_for_its_consumer_alone(engine: AsyncEngine) -> None:
    letter = a_letter()
    async with SqlUnitOfWork(make_sessions(engine))() as tx:
        await tx.replays.again(letter)
    (claimed,) = await SqlOutboxQueue(engine).claim(10)
    envelope = claimed.envelope
    assert (envelope.id, envelope.consumer, envelope.body) == (letter.id, letter.consumer, letter.body)
    assert (envelope.kind, envelope.workspace) == (letter.kind, letter.workspace)
