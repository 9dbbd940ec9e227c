"""Consumers without a broker: each looks for what is due, acts on it, and says what became of it."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from adapters.postgres.deliveries import LEASE, Delivered, SqlDeliveries
from application.events.bell import Bell
from application.events.ports import Bury, Consuming, Receive, Subscription
from domain.errors import DatabaseUnavailable
from domain.events import Again, Dead, Done, EventId, Verdict

LOOK = 1.0
"""Seconds after which somebody looks who heard nothing: something may be due by its time."""

_log = logging.getLogger(__name__)


class SqlDispatcher(Consuming):
    def __init__(self, deliveries: SqlDeliveries, bell: Bell) -> None:
        self._deliveries = deliveries
        self._bell = bell

    async def consume(
        self,
        subscriptions: Sequence[Subscription],
        receive: Receive,
        bury: Bury,
        *,
        stop: asyncio.Event,
        grace: float,
    ) -> None:
        desks = [_Desk(each, self._deliveries, receive, bury) for each in subscriptions]
        keeping = asyncio.create_task(self._keep(desks))
        try:
            async with asyncio.TaskGroup() as serving:
                for desk in desks:
                    serving.create_task(self._serve(desk, stop, grace))
        finally:
            keeping.cancel()

    async def _serve(self, desk: "_Desk", stop: asyncio.Event, grace: float) -> None:
        stopping, ear = asyncio.ensure_future(stop.wait()), self._bell.ear()
        while not stop.is_set():
            try:
                filled = await desk.fill()
            except DatabaseUnavailable:
                _log.warning("messages cannot be looked for: the database is away")
                filled = False
            if not filled:
                await ear.heard(stopping, *desk.tasks, within=LOOK)
            elif desk.tasks:
                await asyncio.wait((stopping, *desk.tasks), return_when=asyncio.FIRST_COMPLETED)
        await desk.close(grace)

    async def _keep(self, desks: Sequence["_Desk"]) -> None:
        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            held = {each.consumer: list(each.running) for each in desks if each.running}
            with suppress(DatabaseUnavailable):  # then some are acted on by others, too, and marked once
                await self._deliveries.keep(held)


class _Desk:
    """Where one consumer's messages are acted on."""

    def __init__(self, wanted: Subscription, deliveries: SqlDeliveries, receive: Receive, bury: Bury) -> None:
        self.consumer = wanted.consumer
        self.running: dict[EventId, asyncio.Task[None]] = {}
        self._wanted = wanted
        self._deliveries = deliveries
        self._receive = receive
        self._bury = bury

    @property
    def tasks(self) -> Sequence[asyncio.Task[None]]:
        return list(self.running.values())

    async def fill(self) -> bool:
        """Takes what there is room for. Whether there is no room left."""
        room = self._wanted.at_once - len(self.running)
        if room == 0:
            return True
        found = await self._deliveries.claim(self._wanted, room)
        for each in found:
            if each.envelope.id not in self.running:  # else its lease ran out while the loop was held up
                task = asyncio.create_task(self._act(each))
                self.running[each.envelope.id] = task
        return len(found) == room

    async def close(self, grace: float) -> None:
        if not self.running:
            return
        _, late = await asyncio.wait(self.tasks, timeout=grace)
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late)

    async def _act(self, delivered: Delivered) -> None:
        id = delivered.envelope.id
        try:
            verdict = await self._receive(self.consumer, delivered.envelope, delivered.attempt)
            await self._settle(delivered, verdict)
        except DatabaseUnavailable:  # its lease runs out
            _log.warning("what became of a message of %s could not be written", self.consumer)
        except asyncio.CancelledError:
            with suppress(DatabaseUnavailable):
                await self._deliveries.hand_back(self.consumer, id)
            raise
        finally:
            del self.running[id]

    async def _settle(self, delivered: Delivered, verdict: Verdict) -> None:
        id = delivered.envelope.id
        match verdict:
            case Done():
                await self._deliveries.remove(self.consumer, id)
            case Again(after, attempt):
                await self._deliveries.put_off(self.consumer, id, after=after, attempt=attempt)
            case Dead(reason):
                await self._bury(self.consumer, delivered.envelope, delivered.attempt + 1, reason)
                await self._deliveries.remove(self.consumer, id)
