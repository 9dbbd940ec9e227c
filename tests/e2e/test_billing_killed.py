"""Whoever sells is killed between every two steps of a sale: still nobody pays twice, and all get theirs."""

import asyncio
from collections.abc import AsyncIterator, Iterable

import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.billing.told import heeded
from domain.usage.low import CreditsLow
from entrypoints.queue.consumers import CONSUMERS
from tests.conftest import copied
from tests.e2e.buyers import AUTO_TOP_UP, SUBSCRIBE, TOP_UP, Bought, Buyer, Sale, low
from tests.e2e.conftest import SOLD
from tests.e2e.sales import Sales, selling
from tests.e2e.steps import Step, Who, batches

SLOTS = min(each.at_once for each in CONSUMERS)
MANY = 20


@pytest.fixture(scope="module")
async def opened(
    durable_server: EmbeddedPostgres, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sales]:
    """For all tests here: to start processes, and to compare the books, is most of what they would do."""
    async with (
        copied(durable_server.url, SOLD) as database,
        selling(database, tmp_path_factory.mktemp("sales")) as sales,
    ):
        await asyncio.gather(sales.start_server(), sales.start_worker())
        yield sales
        await sales.is_in_order()


@pytest.fixture
async def sales(opened: Sales) -> AsyncIterator[Sales]:
    yield opened
    await opened.let_go()


async def others(buyers: Iterable[tuple[Buyer, Sale, Step]]) -> dict[tuple[str, Step], Bought]:
    """Those who have something else than they paid for once, and where they were held."""
    found = [(await buyer.bought(), sale, step) for buyer, sale, step in buyers]
    return {(sale.name, step): bought for bought, sale, step in found if bought != sale.expected}


async def steps_of(sale: Sale, sales: Sales) -> list[tuple[Sale, Step]]:
    """Where nobody is killed."""
    buyer = await sale.begin(sales)
    steps = await sales.walk(sale.buys(buyer))
    assert await buyer.bought() == sale.expected
    return [(sale, each) for each in steps if each.apart]


async def test_a_sale_survives_a_kill_between_every_two_of_its_steps(sales: Sales) -> None:
    steps = [step for sale in (SUBSCRIBE, TOP_UP, AUTO_TOP_UP) for step in await steps_of(sale, sales)]
    assert {step.who for _, step in steps} == set(Who)
    for batch in batches(steps, SLOTS):
        buyers = [(await sale.begin(sales), sale, step) for sale, step in batch]
        for buyer, sale, step in buyers:
            await sales.walk(sale.buys(buyer), until=step)
        await sales.killed({step.who for _, step in batch})
        for buyer, sale, _ in buyers:
            await sale.again(buyer)
        await sales.quiet()
        assert await others(buyers) == {}


async def test_a_server_that_is_killed_at_every_webhook_loses_none(sales: Sales) -> None:
    """Of each buyer one was just answered, one was and nobody heard, and one is kept, but for its message."""
    buyers = list[tuple[Buyer, Sale, int]]()
    for sale in (SUBSCRIBE, TOP_UP):
        number, count = 0, 1
        while number < count:
            buyer = await sale.begin(sales)
            await sale.again(buyer)
            count = len(buyer.untold())
            for event in buyer.untold()[: max(0, number - 1)]:
                await sales.told(event)
            if number:
                assert await sales.tell(buyer.untold()[0])
            buyers.append((buyer, sale, min(number, 1)))
            number += 1
    last = [buyer.untold()[at] for buyer, _, at in buyers]
    kept = [heeded(each["type"]) for each in last]
    async with sales.lock("LOCK TABLE outbox IN SHARE MODE"):
        sending = [asyncio.create_task(sales.tell(each)) for each in last]
        await sales.locked(sum(kept), "INSERT INTO outbox")
        await asyncio.gather(*(task for task, waits in zip(sending, kept, strict=True) if not waits))
        await sales.killed({Who.SERVER})
        assert [not await each for each in sending] == kept
    unanswered = ", ".join(f"'{each['id']}'" for each, waits in zip(last, kept, strict=True) if waits)
    assert await sales.rows(f"SELECT id FROM stripe_event WHERE id IN ({unanswered})") == []  # noqa: S608 - ours
    await sales.quiet()
    assert [await buyer.bought() for buyer, _, _ in buyers] == [sale.expected for _, sale, _ in buyers]


async def test_twenty_triggers_at_once_in_two_workers_buy_one_pack(sales: Sales) -> None:
    await sales.start_worker()
    assert len(sales.workers) * SLOTS == MANY
    buyer = await low(sales, below="600")
    trigger = CreditsLow(account=buyer.account, workspace=buyer.workspace)
    uow = await sales.services.get(SqlUnitOfWork)
    locks = f"SELECT FROM workspace WHERE id = '{buyer.workspace}' FOR UPDATE"
    async with sales.lock(locks):
        async with uow() as tx:
            await tx.outbox.add(*[trigger] * MANY)
        await sales.locked(MANY, "SELECT workspace.")
    await sales.quiet()
    assert await buyer.bought() == AUTO_TOP_UP.expected
    paid = "SELECT count(*) FROM top_up WHERE state = 'paid' AND account_id"
    assert await sales.count(f"{paid} = '{buyer.account}'") == 1
