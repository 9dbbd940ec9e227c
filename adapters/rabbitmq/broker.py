import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Any

from aio_pika.abc import AbstractIncomingMessage, AbstractQueue

from adapters.rabbitmq.desk import Desk
from adapters.rabbitmq.link import FAULTS, Link, Links
from adapters.rabbitmq.messages import death_of, envelope_of, message_of
from adapters.rabbitmq.topology import Topology
from application.events.errors import BrokerUnavailable
from application.events.ports import Bury, Consuming, Envelope, Publisher, Receive, Subscription

CONFIRM_SECONDS = 10.0
RETRY_SECONDS = 1.0
_AT_ONCE = 10

_log = logging.getLogger(__name__)


class RabbitBroker(Publisher, Consuming):
    def __init__(self, url: str, topology: Topology) -> None:
        self._topology = topology
        self._links = Links(url, topology)

    async def close(self) -> None:
        await self._links.close()

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        link = await self._links.get()
        try:
            async with asyncio.timeout(CONFIRM_SECONDS), asyncio.TaskGroup() as confirms:
                for each in envelopes:
                    confirms.create_task(self._publish(link, each))
        except (ExceptionGroup, *FAULTS) as error:
            first = error.exceptions[0] if isinstance(error, ExceptionGroup) else error
            raise BrokerUnavailable(type(first).__name__) from error

    async def _publish(self, link: Link, envelope: Envelope) -> None:
        message = message_of(envelope)
        if envelope.consumer is None:
            await link.events.publish(message, envelope.kind, mandatory=False)
        else:
            queue = self._topology.queue(envelope.consumer)
            await link.publishing.default_exchange.publish(message, queue)

    async def consume(
        self,
        subscriptions: Sequence[Subscription],
        receive: Receive,
        bury: Bury,
        *,
        stop: asyncio.Event,
        grace: float,
    ) -> None:
        stopping = asyncio.ensure_future(stop.wait())
        while not stop.is_set():
            desks: list[Desk] = []
            try:
                link = await self._links.get()
                desks = [Desk(each, self._topology, link, receive) for each in subscriptions]
                await self._serve(link, desks, bury, stopping, grace)
            except (BrokerUnavailable, *FAULTS) as error:
                _log.warning("messages cannot be taken, trying again: %s", error)
                await asyncio.gather(*(each.close(0.0) for each in desks))
                await asyncio.wait((stopping,), timeout=RETRY_SECONDS)

    async def _serve(
        self,
        link: Link,
        desks: Sequence[Desk],
        bury: Bury,
        stopping: asyncio.Future[Any],
        grace: float,
    ) -> None:
        """Until it is time to stop, or the link is lost."""
        lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def gone(*_: object) -> None:
            if not lost.done():
                lost.set_result(None)

        link.connection.close_callbacks.add(gone)
        taking: list[tuple[AbstractQueue, str]] = []
        for desk in desks:
            channel = await link.connection.channel()
            channel.close_callbacks.add(gone)
            await channel.set_qos(prefetch_count=desk.at_once)
            queue = await channel.get_queue(self._topology.queue(desk.consumer), ensure=False)
            taking.append((queue, await queue.consume(desk.take)))
        channel = await link.connection.channel()
        await channel.set_qos(prefetch_count=_AT_ONCE)
        dead = await channel.get_queue(self._topology.dead, ensure=False)
        taking.append((dead, await dead.consume(_burying(bury, self._topology.prefix))))
        await asyncio.wait((stopping, lost), return_when=asyncio.FIRST_COMPLETED)
        if lost.done():
            raise BrokerUnavailable("the connection was lost")
        for queue, tag in taking:
            with suppress(*FAULTS):
                await queue.cancel(tag)
        await asyncio.gather(*(each.close(grace) for each in desks))


def _burying(bury: Bury, prefix: str) -> Callable[[AbstractIncomingMessage], Awaitable[None]]:
    """Moves what is dead to where operators look, once that is written."""

    async def take(message: AbstractIncomingMessage) -> None:
        envelope, attempt = envelope_of(message)
        consumer, reason = death_of(message, prefix)
        try:
            await bury(consumer, envelope, attempt + 1, reason)
            await message.ack()
        except Exception as error:  # noqa: BLE001 - it stays in the broker, and comes again
            _log.error("a dead letter could not be written: %s", type(error).__name__)
            await asyncio.sleep(RETRY_SECONDS)
            with suppress(*FAULTS):
                await message.nack(requeue=True)

    return take
