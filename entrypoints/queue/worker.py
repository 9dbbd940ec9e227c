"""One worker: relays what was committed, and acts on it, until it is told to stop."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dishka import AsyncContainer

from application.events.bell import Bell
from application.events.dead_letters import Bury
from application.events.ports import Consuming
from application.events.relay import BATCH, Relay
from application.metrics import Meter
from domain.errors import Invalid, Unavailable
from entrypoints.queue.consumers import CONSUMERS
from entrypoints.queue.receiver import Consumer, Receiver

POLL = 1.0
"""Seconds after which the outbox is looked at without a word from the database."""

_log = logging.getLogger(__name__)


@dataclass(eq=False)
class ConsumerMissing(Invalid):
    code: ClassVar[str] = "consumer_missing"
    name: str
    known: tuple[str, ...]

    def __str__(self) -> str:
        return f"there is no consumer {self.name!r}; there are {', '.join(self.known)}"


def chosen(names: Collection[str], consumers: Sequence[Consumer] = CONSUMERS) -> Sequence[Consumer]:
    """All of them, where none is named. Raises ConsumerMissing."""
    known = {each.name: each for each in consumers}
    for name in names:
        if name not in known:
            raise ConsumerMissing(name, tuple(known))
    return [known[name] for name in names] if names else consumers


async def work(
    services: AsyncContainer, *, stop: asyncio.Event, grace: float, only: Collection[str] = ()
) -> None:
    """Returns when what was being acted on is done, or handed back after ``grace`` seconds.

    Raises ConsumerMissing, BrokerClash.
    """
    consumers = chosen(only)
    consuming = await services.get(Consuming)
    relay, bell = await services.get(Relay), await services.get(Bell)
    async with asyncio.TaskGroup() as working:
        working.create_task(relaying(relay, bell, stop))
        await consuming.consume(
            [each.subscription for each in consumers],
            Receiver(services, consumers, await services.get(Meter)),
            await services.get(Bury),
            stop=stop,
            grace=grace,
        )


async def relaying(relay: Relay, bell: Bell, stop: asyncio.Event) -> None:
    """A whole batch is followed by the next at once; else it waits for a word, or for ``POLL``."""
    stopping, ear = asyncio.ensure_future(stop.wait()), bell.ear()
    while not stop.is_set():
        try:
            moved = await relay()
        except Unavailable as error:
            _log.warning("what was committed cannot be passed on, trying again: %s", error)
            await asyncio.wait((stopping,), timeout=POLL)
            continue
        if moved < BATCH:
            await ear.heard(stopping, within=POLL)
