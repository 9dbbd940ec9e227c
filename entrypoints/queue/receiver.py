"""A message on its way in: decoded, acted on, and what becomes of it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from dishka import AsyncContainer
from msgspec import Struct

from application.events.ports import Envelope, Subscription
from application.metrics import Meter
from domain.errors import DatabaseUnavailable, DomainError
from domain.events import Dead, Done, EventId, Verdict, after_failure

AWAY_SECONDS = 1.0
"""Between looks for a database that is away. That is nobody's attempt: the message waits here."""

_log = logging.getLogger(__name__)
M = TypeVar("M", bound=Struct)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a handler is told besides the message itself."""

    consumer: str
    id: EventId


@dataclass(frozen=True, slots=True)
class Handler(Generic[M]):
    """Of one version of one kind of message. Its effect and its mark in the inbox commit together."""

    message: type[M]
    run: Callable[[AsyncContainer, Delivery, M], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumer:
    """``handlers`` are by kind and version."""

    name: str
    handlers: Mapping[tuple[str, int], Handler[Any]]
    at_once: int = 10
    ordered: bool = False

    @property
    def subscription(self) -> Subscription:
        kinds = frozenset(kind for kind, _ in self.handlers)
        return Subscription(consumer=self.name, kinds=kinds, at_once=self.at_once, ordered=self.ordered)


class Receiver:
    def __init__(self, services: AsyncContainer, consumers: Sequence[Consumer], meter: Meter) -> None:
        self._services = services
        self._meter = meter
        self._consumers = {each.name: each for each in consumers}

    async def __call__(self, consumer: str, envelope: Envelope, attempt: int) -> Verdict:
        verdict = await self._act(consumer, envelope, attempt)
        self._meter.message(consumer, type(verdict).__name__.lower())
        return verdict

    async def _act(self, consumer: str, envelope: Envelope, attempt: int) -> Verdict:
        handler = self._consumers[consumer].handlers.get((envelope.kind, envelope.version))
        if handler is None:
            return Dead(
                f"{consumer} has no handler for {envelope.kind or 'a message without a kind'}"
                f" in version {envelope.version}"
            )
        try:
            message = msgspec.json.decode(envelope.body, type=handler.message)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return Dead(f"it cannot be read: {error}")
        delivery = Delivery(consumer, envelope.id)
        while True:
            try:
                await handler.run(self._services, delivery, message)
            except DatabaseUnavailable:
                _log.warning("%s waits for the database", consumer)
                await asyncio.sleep(AWAY_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is, it is tried again, and then told
                return self._failed(delivery, envelope, attempt, error)
            else:
                return Done()

    def _failed(self, delivery: Delivery, envelope: Envelope, attempt: int, error: Exception) -> Verdict:
        verdict = after_failure(error, attempt)
        told = "is a dead letter" if isinstance(verdict, Dead) else "will be tried again"
        known = isinstance(error, DomainError)
        _log.log(
            logging.WARNING if known else logging.ERROR,
            "%s %s of %s %s: %s",
            envelope.kind, envelope.id, delivery.consumer, told, getattr(error, "code", type(error).__name__),
            exc_info=None if known else error,
        )  # fmt: skip
        return verdict
