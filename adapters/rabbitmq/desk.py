import asyncio
import logging
from contextlib import suppress
from typing import Any

from aio_pika.abc import AbstractIncomingMessage

from adapters.rabbitmq.link import FAULTS, Link
from adapters.rabbitmq.messages import envelope_of, message_of
from adapters.rabbitmq.topology import Topology
from application.events.ports import Envelope, Receive, Subscription
from domain.events import Again, Dead, Done, Verdict
from domain.ids import WorkspaceId

_log = logging.getLogger(__name__)


class Desk:
    """Where one consumer's messages are acted on, and given to the queue that says what became of them.

    Each is acknowledged after that: when this process or the broker dies in between, it comes again.
    """

    def __init__(self, wanted: Subscription, topology: Topology, link: Link, receive: Receive) -> None:
        self._topology = topology
        self.consumer = wanted.consumer
        self.at_once = wanted.at_once
        self._ordered = wanted.ordered
        self._link = link
        self._receive = receive
        self._running: set[asyncio.Task[Any]] = set()
        self._last: dict[WorkspaceId, asyncio.Task[Any]] = {}

    async def take(self, message: AbstractIncomingMessage) -> None:
        """Each in a task of its own, in the order in which they came."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a message is taken by a task")
        envelope, attempt = envelope_of(message)
        workspace = envelope.workspace if self._ordered else None
        before = None if workspace is None else self._last.get(workspace)
        self._running.add(task)
        if workspace is not None:
            self._last[workspace] = task
        try:
            await self._act(message, envelope, attempt, before)
        finally:
            self._running.discard(task)
            if workspace is not None and self._last.get(workspace) is task:
                del self._last[workspace]

    async def close(self, grace: float) -> None:
        """Waits so long, and cuts off what is not done by then: the broker hands it to somebody else."""
        if not self._running:
            return
        running = tuple(self._running)
        if grace:
            await asyncio.wait(running, timeout=grace)
        for task in running:
            task.cancel()
        await asyncio.wait(running)

    async def _act(
        self,
        message: AbstractIncomingMessage,
        envelope: Envelope,
        attempt: int,
        before: asyncio.Task[Any] | None,
    ) -> None:
        try:
            if before is not None:
                await asyncio.wait((before,))
            verdict = await self._receive(self.consumer, envelope, attempt)
            while self._ordered and isinstance(verdict, Again):  # those behind it wait here, too
                await asyncio.sleep(verdict.after.total_seconds())
                attempt = verdict.attempt
                verdict = await self._receive(self.consumer, envelope, attempt)
            await self._settle(envelope, attempt, verdict)
            await message.ack()
        except FAULTS as error:
            _log.warning("a message of %s will come again: %s", self.consumer, type(error).__name__)
        except asyncio.CancelledError:
            with suppress(*FAULTS):
                await message.nack(requeue=True)
            raise

    async def _settle(self, envelope: Envelope, attempt: int, verdict: Verdict) -> None:
        exchange = self._link.publishing.default_exchange
        match verdict:
            case Done():
                return
            case Again(after, next_attempt):
                again = message_of(envelope, attempt=next_attempt)
                await exchange.publish(again, self._topology.waiting(self.consumer, after))
            case Dead(reason):
                dead = message_of(envelope, attempt=attempt, reason=reason, consumer=self.consumer)
                await exchange.publish(dead, self._topology.dead)
