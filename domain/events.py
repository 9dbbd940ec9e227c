"""What happened, for whoever acts on it later, and what becomes of a message that fails."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, NewType, Protocol
from uuid import UUID

from domain.errors import Away, DomainError, Limited, Missing, Unavailable, UpstreamFailed, UpstreamLate
from domain.ids import WorkspaceId

EventId = NewType("EventId", UUID)

WAITS = (timedelta(seconds=5), timedelta(minutes=1), timedelta(minutes=10))
"""Before the second, third and fourth attempt. After that one, a message is a dead letter."""

PATIENCE = 3 * 24 * 6
"""Attempts at what needs a service that is away: three days of them, the last wait between each two."""

_MAY_PASS = (Limited, Unavailable, UpstreamFailed, UpstreamLate)


class Event(Protocol):
    """A dataclass of what JSON can say. ``version`` goes up where an older handler could not read it."""

    kind: ClassVar[str]
    version: ClassVar[int]

    @property
    def workspace(self) -> WorkspaceId | None:
        """Whose it is. Consumers that ask for order get it among the events of one workspace."""


@dataclass(frozen=True, slots=True)
class Done:
    """Acted on, now or before."""


@dataclass(frozen=True, slots=True)
class Again:
    """Not yet. ``attempt`` is the number of the next one; the first was 0."""

    after: timedelta
    attempt: int


@dataclass(frozen=True, slots=True)
class Dead:
    """Never, unless somebody mends what ``reason`` names and replays it."""

    reason: str


@dataclass(eq=False)
class NotYet(Unavailable):
    """Somebody else is acting on it, and may die of it. That is nobody's attempt."""

    code: ClassVar[str] = "not_yet"

    def __str__(self) -> str:
        return "somebody else is acting on it"


Verdict = Done | Again | Dead


def after_failure(error: Exception, attempt: int) -> Again | Dead:
    """What is to become of a message whose attempt number ``attempt`` ended with ``error``.

    What is wrong with the message itself gets no better by waiting. ``reason`` holds no value of the message.
    """
    if isinstance(error, NotYet):
        return Again(WAITS[0], attempt)
    if isinstance(error, DomainError) and not isinstance(error, _MAY_PASS):
        return Dead(error.code)
    if attempt < len(WAITS):
        return Again(WAITS[attempt], attempt + 1)
    if isinstance(error, Away) and attempt < PATIENCE:
        return Again(WAITS[-1], attempt + 1)
    reason = error.code if isinstance(error, DomainError) else type(error).__name__
    return Dead(f"{reason}, {attempt + 1} times")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A message that its consumer could not act on. ``body`` is JSON text."""

    consumer: str
    id: EventId
    kind: str
    version: int
    workspace: WorkspaceId | None
    occurred_at: datetime
    body: str
    reason: str
    attempts: int
    died_at: datetime


@dataclass(eq=False)
class DeadLetterMissing(Missing):
    code: ClassVar[str] = "dead_letter_missing"

    def __str__(self) -> str:
        return "there is no such dead letter: it was replayed or discarded, or never was one"
