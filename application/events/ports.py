import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.events import DeadLetter, EventId, Verdict
from domain.ids import WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A message on its way. ``body`` is JSON text.

    ``consumer`` is the only one that it is for, where it is sent again; usually it is for all that subscribe
    to its kind.
    """

    id: EventId
    kind: str
    version: int
    workspace: WorkspaceId | None
    occurred_at: datetime
    body: str
    consumer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """What one consumer takes: at most ``at_once`` messages in each process.

    ``ordered``: one after the other within a workspace, in the order in which they were committed. One that
    fails holds up those behind it, until it is done or dead.
    """

    consumer: str
    kinds: frozenset[str]
    at_once: int = 10
    ordered: bool = False


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row of the outbox that one relay has to itself for a while."""

    position: int
    envelope: Envelope


class OutboxQueue(Protocol):
    """The outbox, from its other end. Any number of relays may work on it at once."""

    async def claim(self, limit: int) -> Sequence[Claimed]:
        """The oldest that nobody has. Of one workspace, only one relay has any at a time.

        One that is neither removed nor given back is to be had again when the claim runs out.
        """

    async def remove(self, positions: Collection[int]) -> None: ...

    async def give_back(self, positions: Collection[int]) -> None: ...


class Publisher(Protocol):
    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """Durable with every consumer that it is for when this returns; in this order.

        Raises BrokerUnavailable: any of them may be with some consumers then, and may be published again.
        """


Receive = Callable[[str, Envelope, int], Awaitable[Verdict]]
"""By consumer, with the number of the attempt. Raises nothing but its cancellation, which hands it back."""


Bury = Callable[[str, Envelope, int, str], Awaitable[None]]
"""By consumer, with the number of attempts and the reason."""


class Consuming(Protocol):
    async def consume(
        self,
        subscriptions: Sequence[Subscription],
        receive: Receive,
        bury: Bury,
        *,
        stop: asyncio.Event,
        grace: float,
    ) -> None:
        """Until ``stop``. What is being acted on then has ``grace`` seconds to end, and is handed back.

        Waits for what is away. Raises BrokerClash, before anything is taken.
        """


class Inbox(Protocol):
    async def take(self, consumer: str, event: EventId) -> bool:
        """Marks it as handled if the transaction commits. False where it is marked already.

        Of two that take the same at once, the second waits for how the first one's transaction ends.
        """

    async def has(self, consumer: str, event: EventId) -> bool: ...


class DeadLetters(Protocol):
    async def add(self, letter: DeadLetter) -> bool:
        """Whether there was none before. The same one again changes nothing."""

    async def get(self, consumer: str, event: EventId) -> DeadLetter:
        """Raises DeadLetterMissing. Locked until the transaction ends."""

    async def remove(self, letter: DeadLetter) -> None: ...

    async def page(
        self, *, consumer: str | None, kind: str | None, after: tuple[datetime, EventId] | None, limit: int
    ) -> Sequence[DeadLetter]:
        """The oldest first, by when they died. ``after`` is the last one of the page before."""


class Replays(Protocol):
    async def again(self, letter: DeadLetter) -> None:
        """To its consumer alone, under the same id, if the transaction commits."""
