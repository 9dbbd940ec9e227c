"""What is told and acted on, without a database."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from application.events.ports import DeadLetters, Inbox, Replays
from application.notifications.post import opened
from application.ports import Outbox
from domain.events import DeadLetter, DeadLetterMissing, Event, EventId
from domain.identity.mail import Mail
from domain.notifications.events import MailRequested
from tests.fakes.people import PlainSecrecy

if TYPE_CHECKING:
    from tests.fakes.unit_of_work import FakeUnitOfWork


@dataclass(frozen=True)
class Posted:
    """``event`` is a dead letter where that is sent again, to ``consumer`` alone."""

    id: EventId
    event: Event | DeadLetter
    consumer: str | None = None


@dataclass
class FakeOutbox(Outbox, Replays):
    rows: list[Posted]

    async def add(self, *events: Event) -> None:
        self.rows += [Posted(EventId(uuid4()), each) for each in events]

    async def again(self, letter: DeadLetter) -> None:
        self.rows.append(Posted(letter.id, letter, letter.consumer))


@dataclass
class FakeInbox(Inbox):
    rows: set[tuple[str, EventId]]

    async def take(self, consumer: str, event: EventId) -> bool:
        if (consumer, event) in self.rows:
            return False
        self.rows.add((consumer, event))
        return True

    async def has(self, consumer: str, event: EventId) -> bool:
        return (consumer, event) in self.rows


@dataclass
class FakeDeadLetters(DeadLetters):
    rows: dict[tuple[str, EventId], DeadLetter]

    async def add(self, letter: DeadLetter) -> bool:
        first = not self.rows
        self.rows.setdefault((letter.consumer, letter.id), letter)
        return first

    async def get(self, consumer: str, event: EventId) -> DeadLetter:
        if (consumer, event) not in self.rows:
            raise DeadLetterMissing
        return self.rows[consumer, event]

    async def remove(self, letter: DeadLetter) -> None:
        del self.rows[letter.consumer, letter.id]

    async def page(
        self, *, consumer: str | None, kind: str | None, after: tuple[datetime, EventId] | None, limit: int
    ) -> Sequence[DeadLetter]:
        found = [
            each
            for each in sorted(self.rows.values(), key=lambda each: (each.died_at, each.id))
            if consumer in {None, each.consumer}
            and kind in {None, each.kind}
            and (after is None or (each.died_at, each.id) > after)
        ]
        return found[:limit]


@dataclass
class Mails:
    """Those that a committed transaction asked for."""

    work: "FakeUnitOfWork"

    @property
    def sent(self) -> list[Mail]:
        return [
            opened(PlainSecrecy(), each.event)
            for each in self.work.posted
            if isinstance(each.event, MailRequested)
        ]
