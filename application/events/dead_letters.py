"""Messages that nobody could act on: kept, told, sent again, thrown away."""

import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.actor import Operator
from application.events.ports import DeadLetters, Envelope, Replays
from application.identity.ports import Users
from application.notifications.post import MailTx, PostMail
from application.pages import Page
from application.ports import Clock, UnitOfWork
from domain.events import DeadLetter, EventId
from domain.identity.mail import Mail

_log = logging.getLogger(__name__)
Place = tuple[datetime, EventId]


class DeadLettersTx(MailTx, Protocol):
    @property
    def dead_letters(self) -> DeadLetters: ...

    @property
    def replays(self) -> Replays: ...

    @property
    def users(self) -> Users: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bury:
    """Operators hear of the first, and of no other until there are none left."""

    uow: UnitOfWork[DeadLettersTx]
    post: PostMail
    clock: Clock

    async def __call__(self, consumer: str, envelope: Envelope, attempts: int, reason: str) -> None:
        letter = DeadLetter(
            consumer=consumer,
            id=envelope.id,
            kind=envelope.kind,
            version=envelope.version,
            workspace=envelope.workspace,
            occurred_at=envelope.occurred_at,
            body=envelope.body,
            reason=reason,
            attempts=attempts,
            died_at=self.clock.now(),
        )
        facts = {"consumer": consumer, "kind": letter.kind, "reason": reason, "id": str(letter.id)}
        async with self.uow() as tx:
            if await tx.dead_letters.add(letter):
                for operator in await tx.users.operators():
                    await self.post(tx, Mail(to=operator.email.text, template="dead_letter", facts=facts))


@dataclass(frozen=True, slots=True)
class ListDeadLetters:
    uow: UnitOfWork[DeadLettersTx]

    async def __call__(
        self, _actor: Operator, *, consumer: str | None, kind: str | None, after: Place | None, limit: int
    ) -> Page[DeadLetter]:
        async with self.uow() as tx:
            found = await tx.dead_letters.page(consumer=consumer, kind=kind, after=after, limit=limit + 1)
        return Page.of(found, limit)


@dataclass(frozen=True, slots=True)
class ShowDeadLetter:
    uow: UnitOfWork[DeadLettersTx]

    async def __call__(self, _actor: Operator, consumer: str, id: EventId) -> DeadLetter:
        """Raises DeadLetterMissing."""
        async with self.uow() as tx:
            return await tx.dead_letters.get(consumer, id)


@dataclass(frozen=True, slots=True)
class SettleDeadLetters:
    uow: UnitOfWork[DeadLettersTx]

    async def replay(self, _actor: Operator, consumer: str, id: EventId) -> DeadLetter:
        """Raises DeadLetterMissing."""
        async with self.uow() as tx:
            letter = await tx.dead_letters.get(consumer, id)
            await tx.dead_letters.remove(letter)
            await tx.replays.again(letter)
        _log.info("a dead letter of %s was sent again: %s %s", consumer, letter.kind, id)
        return letter

    async def discard(self, _actor: Operator, consumer: str, id: EventId) -> DeadLetter:
        """Raises DeadLetterMissing."""
        async with self.uow() as tx:
            letter = await tx.dead_letters.get(consumer, id)
            await tx.dead_letters.remove(letter)
        _log.info("a dead letter of %s was thrown away: %s %s", consumer, letter.kind, id)
        return letter


@dataclass(frozen=True, slots=True)
class ReplayAll:
    """All that are there when it begins, of one consumer or kind; a page of them in each transaction."""

    uow: UnitOfWork[DeadLettersTx]
    clock: Clock

    async def __call__(
        self, _actor: Operator, *, consumer: str | None, kind: str | None, page: int = 500
    ) -> int:
        """How many they were."""
        done, until, found = 0, self.clock.now(), page
        while found == page:
            async with self.uow() as tx:
                letters = await tx.dead_letters.page(consumer=consumer, kind=kind, after=None, limit=page)
                found = len(letters)
                for each in letters:
                    if each.died_at > until:
                        return done
                    await tx.dead_letters.remove(each)
                    await tx.replays.again(each)
            done += found
        return done
