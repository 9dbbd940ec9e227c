"""What the broker has to have: derived from the subscriptions, declared and checked at every connection.

::

    cuebx.events (topic) --kind--> cuebx.mail --dead--> cuebx.dead
                                    ^  |
                                    |  +--> cuebx.mail.wait.5s, .60s, .600s
                                    +-----------(when the time is over)
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from application.events.errors import BrokerClash
from application.events.ports import Subscription
from domain.events import WAITS

EVENTS = "cuebx.events"
DEAD = "cuebx.dead"
DELIVERIES = 20
"""How often the broker hands a message out whose process dies of it, before it is a dead letter."""


def queue_of(consumer: str) -> str:
    return f"cuebx.{consumer}"


def waiting_queue(consumer: str, seconds: int) -> str:
    return f"{queue_of(consumer)}.wait.{seconds}s"


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    kinds: frozenset[str] = frozenset()


def queues(subscriptions: Sequence[Subscription]) -> Sequence[Queue]:
    found = [Queue(DEAD, {"x-queue-type": "quorum"})]
    for each in subscriptions:
        own = {
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERIES,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": DEAD,
            # What is dead arrives there even if this node dies meanwhile.
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        }
        if each.ordered:
            own["x-single-active-consumer"] = True
        found.append(Queue(queue_of(each.consumer), own, each.kinds))
        for wait in WAITS:
            seconds = int(wait.total_seconds())
            waiting = {
                "x-queue-type": "quorum",
                "x-message-ttl": seconds * 1000,
                "x-dead-letter-exchange": "",
                "x-dead-letter-routing-key": queue_of(each.consumer),
                "x-dead-letter-strategy": "at-least-once",
                "x-overflow": "reject-publish",
            }
            found.append(Queue(waiting_queue(each.consumer, seconds), waiting))
    return found


async def declare(connection: AbstractConnection, subscriptions: Sequence[Subscription]) -> None:
    """Raises BrokerClash."""
    async with connection.channel() as channel:
        await _declared(channel, EVENTS, exchange=True)
        for queue in queues(subscriptions):
            await _declared(channel, queue.name, queue)


async def _declared(
    channel: AbstractChannel, name: str, queue: Queue | None = None, *, exchange: bool = False
) -> None:
    try:
        if exchange:
            await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
        if queue is not None:
            there = await channel.declare_queue(name, durable=True, arguments=queue.arguments)
            for kind in sorted(queue.kinds):
                await there.bind(EVENTS, kind)
    except ChannelPreconditionFailed as error:
        raise BrokerClash(name, str(error)) from error
