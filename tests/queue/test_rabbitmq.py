"""What only RabbitMQ does: a topology that clashes, messages that nobody of ours wrote, and poison."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel

from adapters.rabbitmq.broker import RabbitBroker
from adapters.rabbitmq.topology import DELIVERIES, Topology
from application.events.errors import BrokerClash, BrokerUnavailable
from application.events.ports import Subscription
from tests.queue.conftest import WAITS, Road, until
from tests.rabbit_servers import RABBITMQ_URL, named_apart, needs_rabbitmq, new_prefix

pytestmark = needs_rabbitmq


@pytest.fixture
def topology() -> Topology:
    wanted = Subscription(consumer=uuid4().hex[:12], kinds=frozenset({"a.happened"}))
    return Topology([wanted], new_prefix(), WAITS)


@pytest.fixture
async def channel(topology: Topology) -> AsyncIterator[AbstractChannel]:
    queues = [each.name for each in topology.queues()]
    async with named_apart(topology.prefix, *queues), await aio_pika.connect(RABBITMQ_URL) as connection:
        yield await connection.channel()


@pytest.fixture
async def road(topology: Topology, channel: AbstractChannel) -> AsyncIterator[Road]:
    broker = RabbitBroker(RABBITMQ_URL, topology)
    yield Road(broker, lambda: RabbitBroker(RABBITMQ_URL, topology), topology.subscriptions)
    await broker.close()


async def test_a_queue_that_is_there_with_other_properties_is_one_clear_error(
    topology: Topology, channel: AbstractChannel, road: Road
) -> None:
    name = topology.queue(topology.subscriptions[0].consumer)
    await channel.declare_queue(name, durable=True)
    with pytest.raises(BrokerClash, match=f"{name}.*drain and delete it"):
        await road.publisher.publish([road.envelope()])
    working = road.working()
    await working.__aenter__()
    with pytest.raises(BrokerClash, match=name):
        await asyncio.wait_for(road.tasks[-1], 20)


async def test_a_broker_that_is_away_is_told(topology: Topology) -> None:
    broker = RabbitBroker("amqp://guest:guest@127.0.0.1:1/", topology)
    with pytest.raises(BrokerUnavailable):
        await broker.publish([])
    await broker.close()


async def test_what_nobody_of_ours_wrote_is_taken_for_what_it_is(
    topology: Topology, channel: AbstractChannel, road: Road
) -> None:
    await road.publisher.publish([])
    async with road.working():
        message = aio_pika.Message(b"\xff", headers={"cuebx-workspace": "none", "cuebx-version": "x"})
        name = topology.queue(topology.subscriptions[0].consumer)
        await channel.default_exchange.publish(message, name)
        await until(lambda: road.seen)
    assert road.seen[0][2] == 0


async def test_what_kills_whoever_takes_it_is_buried_in_the_end(
    topology: Topology, road: Road, channel: AbstractChannel
) -> None:
    async with road.working():
        pass
    envelope = road.envelope()
    await road.publisher.publish([envelope])
    name = topology.queue(topology.subscriptions[0].consumer)
    for _ in range(DELIVERIES + 1):
        async with await aio_pika.connect(RABBITMQ_URL) as dying:
            taken = await (await dying.channel()).get_queue(name)
            async with taken.iterator() as messages:
                await anext(messages)
    async with road.working():
        await until(lambda: road.buried)
    (consumer, buried, _, reason) = road.buried[0]
    assert (consumer, buried.id) == (topology.subscriptions[0].consumer, envelope.id)
    assert "died, over and over" in reason
    assert road.seen == []


async def test_a_link_that_breaks_is_made_anew(road: Road) -> None:
    async with road.working():
        await road.publisher.publish([road.envelope()])
        await until(lambda: len(road.seen) == 1)
        assert isinstance(road.publisher, RabbitBroker)
        await road.publisher.close()
        await road.publisher.publish([road.envelope()])
        await until(lambda: len(road.seen) == 2)
