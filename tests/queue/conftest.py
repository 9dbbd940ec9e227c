"""Both ways that messages travel: by RabbitMQ, and by PostgreSQL alone. Each test has names of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.deliveries import SqlDeliveries
from adapters.postgres.dispatcher import SqlDispatcher
from adapters.rabbitmq.broker import RabbitBroker
from adapters.rabbitmq.topology import Topology
from application.events.bell import Bell
from application.events.ports import Consuming, Envelope, Publisher, Subscription
from domain.events import Done, EventId, Verdict
from domain.ids import WorkspaceId
from tests.rabbit_servers import RABBITMQ_URL, named_apart, new_prefix, rabbitmq_is_reachable

WAITS = (timedelta(seconds=0.1), timedelta(seconds=0.2), timedelta(seconds=0.3))
WAYS = ["postgres", *(["rabbitmq"] if rabbitmq_is_reachable() else [])]
Act = Callable[[Envelope, int], Awaitable[Verdict]]


async def done(_envelope: Envelope, _attempt: int) -> Verdict:
    return Done()


@dataclass
class Road:
    """From one publisher to consumers that do what a test says. Notes all that they are given."""

    publisher: Publisher
    open: Callable[[], Consuming]
    subscriptions: Sequence[Subscription]
    seen: list[tuple[str, EventId, int]] = field(default_factory=list)
    buried: list[tuple[str, Envelope, int, str]] = field(default_factory=list)
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def kind(self, nth: int = 0) -> str:
        return min(self.subscriptions[nth].kinds)

    def envelope(self, nth: int = 0, workspace: WorkspaceId | None = None) -> Envelope:
        return Envelope(
            id=EventId(uuid4()),
            kind=self.kind(nth),
            version=1,
            workspace=workspace,
            occurred_at=datetime.now(UTC),
            body='{"a":"\\u00e9"}',
        )

    @asynccontextmanager
    async def working(
        self, act: Act = done, *, only: int | None = None, grace: float = 5.0
    ) -> AsyncIterator[None]:
        """One process that acts on messages, for the block."""
        stop = asyncio.Event()

        async def receive(consumer: str, envelope: Envelope, attempt: int) -> Verdict:
            self.seen.append((consumer, envelope.id, attempt))
            return await act(envelope, attempt)

        async def bury(consumer: str, envelope: Envelope, attempts: int, reason: str) -> None:
            self.buried.append((consumer, envelope, attempts, reason))

        wanted = self.subscriptions if only is None else [self.subscriptions[only]]
        consuming = self.open()
        task = asyncio.create_task(consuming.consume(wanted, receive, bury, stop=stop, grace=grace))
        self.tasks.append(task)
        try:
            yield
        finally:
            stop.set()
            await task
            if isinstance(consuming, RabbitBroker):
                await consuming.close()


async def until(true: Callable[[], object], *, within: float = 20.0) -> None:
    async with asyncio.timeout(within):
        while not true():  # noqa: ASYNC110 - what it waits for happens elsewhere
            await asyncio.sleep(0.005)


@pytest.fixture(params=WAYS)
async def road(request: pytest.FixtureRequest, engine: AsyncEngine) -> AsyncIterator[Road]:
    """A usual consumer, another of the same kind, and one that asks for order."""
    names = [uuid4().hex[:12] for _ in range(3)]
    one, other = (frozenset({f"test.{name}"}) for name in names[:2])
    subscriptions = [
        Subscription(consumer=names[0], kinds=one, at_once=4),
        Subscription(consumer=names[1], kinds=one, at_once=4),
        Subscription(consumer=names[2], kinds=other, at_once=50, ordered=True),
    ]
    if request.param == "postgres":
        bell = Bell()
        deliveries = SqlDeliveries(engine, subscriptions)
        yield Road(deliveries, lambda: SqlDispatcher(deliveries, bell), subscriptions)
        return
    topology = Topology(subscriptions, new_prefix(), WAITS)
    async with AsyncExitStack() as stack:
        queues = [each.name for each in topology.queues()]
        await stack.enter_async_context(named_apart(topology.prefix, *queues))
        broker = RabbitBroker(RABBITMQ_URL, topology)
        stack.push_async_callback(broker.close)
        yield Road(broker, lambda: RabbitBroker(RABBITMQ_URL, topology), subscriptions)
