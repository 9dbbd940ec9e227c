"""What the broker has to have: derived from the subscriptions, declared and checked at every connection.

::

    cuebx.events (topic) --kind--> cuebx.mail ---when it is dead---> cuebx.dead
                                     |    ^
                  when it is put off v    | when that time is over
                          cuebx.mail.wait.5s, .60s, .600s
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from aio_pika import ExchangeType
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelPreconditionFailed

from application.events.errors import BrokerClash
from application.events.ports import Subscription
from domain.events import WAITS

DELIVERIES = 20
"""How often the broker hands a message out whose process dies of it, before it is a dead letter."""
CONSUMER_TIMEOUT = 2 * 3600 * 1000
"""Milliseconds that a message may be acted on: the longest run, and then some. Known since RabbitMQ 3.12; an
older one gives half an hour, unless its own configuration says more."""
_QUORUM = {"x-queue-type": "quorum"}


@dataclass(frozen=True, slots=True)
class Queue:
    name: str
    arguments: dict[str, Any]
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Topology:
    """``prefix`` is what all names begin with, so that installations can share a broker."""

    subscriptions: Sequence[Subscription]
    prefix: str = "cuebx"
    waits: Sequence[timedelta] = field(default=WAITS)

    @property
    def events(self) -> str:
        return f"{self.prefix}.events"

    @property
    def dead(self) -> str:
        return f"{self.prefix}.dead"

    def queue(self, consumer: str) -> str:
        return f"{self.prefix}.{consumer}"

    def waiting(self, consumer: str, wait: timedelta) -> str:
        return f"{self.queue(consumer)}.wait.{wait.total_seconds():g}s"

    def queues(self) -> Sequence[Queue]:
        found = [Queue(self.dead, _QUORUM)]
        for each in self.subscriptions:
            name = self.queue(each.consumer)
            own = {
                "x-delivery-limit": DELIVERIES,
                "x-consumer-timeout": CONSUMER_TIMEOUT,
                **_leading_to(self.dead),
            }
            if each.ordered:
                own["x-single-active-consumer"] = True
            found.append(Queue(name, own, each.kinds))
            for wait in self.waits:
                time = {"x-message-ttl": int(wait.total_seconds() * 1000)}
                found.append(Queue(self.waiting(each.consumer, wait), {**time, **_leading_to(name)}))
        return found

    async def declare(self, connection: AbstractConnection) -> None:
        """Raises BrokerClash."""
        async with connection.channel() as channel:
            name = self.events
            try:
                await channel.declare_exchange(name, ExchangeType.TOPIC, durable=True)
                for queue in self.queues():
                    name = queue.name
                    there = await channel.declare_queue(name, durable=True, arguments=queue.arguments)
                    for kind in sorted(queue.kinds):
                        await there.bind(self.events, kind)
            except ChannelPreconditionFailed as error:
                raise BrokerClash(name, str(error)) from error


def _leading_to(queue: str) -> dict[str, Any]:
    """What leaves such a queue other than by its consumer arrives there, even if a node dies meanwhile."""
    return {
        **_QUORUM,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }
