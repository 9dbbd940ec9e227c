"""Messages that nobody could act on, for operators."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Struct

from application.actor import Operator
from application.events.dead_letters import (
    ListDeadLetters,
    Place,
    ReplayAll,
    SettleDeadLetters,
    ShowDeadLetter,
)
from domain.events import DeadLetter, DeadLetterMissing, EventId
from domain.ids import MalformedId, event_text, parse_event, workspace_text
from entrypoints.http.fields import Line, id_path
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.members import Cursor
from entrypoints.http.problems import invalid
from entrypoints.http.routes import deleting, reading

PATH = "/v1/operator/dead-letters"
TAG = "Operation"
ConsumerPath = Annotated[
    str, PathParameter(description="The consumer", schema_extra={"pattern": "^[a-z-]{1,60}$"})
]
ONE = PATH + "/{consumer:str}/{event:str}"
OF_ONE = (MalformedId, DeadLetterMissing)
OfConsumer = Annotated[
    str | None,
    QueryParameter(max_length=60, pattern="^[a-z-]+$", description="Only this one's"),
]
OfKind = Annotated[
    str | None,
    QueryParameter(max_length=60, pattern="^[a-z_.-]+$", description="Only of this kind"),
]
EventPath = Annotated[str, id_path("evt")]


class DeadLetterRow(Struct, frozen=True, kw_only=True):
    id: str
    consumer: str
    kind: str
    version: int
    workspace_id: str | None
    reason: str
    attempts: int
    occurred_at: datetime
    died_at: datetime


class DeadLetterAnswer(Struct, frozen=True, kw_only=True):
    """``body`` is the message; text, where it is no JSON. What is secret in it is sealed."""

    letter: DeadLetterRow
    body: Any


class DeadLettersAnswer(Struct, frozen=True, kw_only=True):
    """The oldest first. ``next_cursor`` is null on the last page."""

    items: list[DeadLetterRow]
    next_cursor: str | None


class ReplayRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is null does not narrow."""

    consumer: Line | None = None
    kind: Line | None = None


class ReplayedAnswer(Struct, frozen=True, kw_only=True):
    replayed: int


def row_of(letter: DeadLetter) -> DeadLetterRow:
    return DeadLetterRow(
        id=event_text(letter.id),
        consumer=letter.consumer,
        kind=letter.kind,
        version=letter.version,
        workspace_id=None if letter.workspace is None else workspace_text(letter.workspace),
        reason=letter.reason,
        attempts=letter.attempts,
        occurred_at=letter.occurred_at,
        died_at=letter.died_at,
    )


def body_of(letter: DeadLetter) -> Any:  # noqa: ANN401 - any JSON
    try:
        return msgspec.json.decode(letter.body)
    except msgspec.DecodeError:
        return letter.body


@reading(PATH, by=Operator, tag=TAG, refuses=(MalformedId,))
async def list_dead_letters(
    *,
    operator: NamedDependency[Operator],
    use: FromDishka[ListDeadLetters],
    consumer: OfConsumer = None,
    kind: OfKind = None,
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> DeadLettersAnswer:
    """Messages that were given up."""
    after = None if cursor is None else _place(cursor)
    page = await use(operator, consumer=consumer, kind=kind, after=after, limit=limit)
    return DeadLettersAnswer(
        items=[row_of(each) for each in page.items],
        next_cursor=_cursor(page.items[-1]) if page.more else None,
    )


@reading(ONE, by=Operator, tag=TAG, refuses=OF_ONE)
async def show_dead_letter(
    consumer: ConsumerPath,
    event: EventPath,
    operator: NamedDependency[Operator],
    use: FromDishka[ShowDeadLetter],
) -> DeadLetterAnswer:
    """One of them, whole."""
    letter = await use(operator, consumer, EventId(parse_event(event)))
    return DeadLetterAnswer(letter=row_of(letter), body=body_of(letter))


@lean_post(ONE + "/replay", tag=TAG, refuses=OF_ONE)
async def replay_dead_letter(
    operator: Operator, consumer: ConsumerPath, event: EventPath, use: FromDishka[SettleDeadLetters]
) -> Reply[DeadLetterRow]:
    """Send it to its consumer again."""
    return Reply(row_of(await use.replay(operator, consumer, EventId(parse_event(event)))))


@lean_post(PATH + "/replay", tag=TAG, refuses=())
async def replay_dead_letters(
    operator: Operator, data: JSONBody[ReplayRequest], use: FromDishka[ReplayAll]
) -> Reply[ReplayedAnswer]:
    """Send all of them again, or those of one consumer or kind."""
    return Reply(ReplayedAnswer(replayed=await use(operator, consumer=data.consumer, kind=data.kind)))


@deleting(ONE, by=Operator, tag=TAG, refuses=OF_ONE)
async def discard_dead_letter(
    consumer: ConsumerPath,
    event: EventPath,
    operator: NamedDependency[Operator],
    use: FromDishka[SettleDeadLetters],
) -> None:
    """Throw it away."""
    await use.discard(operator, consumer, EventId(parse_event(event)))


def _cursor(letter: DeadLetter) -> str:
    text = f"{letter.died_at.astimezone(UTC).isoformat()} {event_text(letter.id)}"
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _place(cursor: str) -> Place:
    """Raises Refusal, MalformedId."""
    try:
        at, _, event = urlsafe_b64decode(cursor + "==").decode().partition(" ")
        died_at = datetime.fromisoformat(at)
    except ValueError:
        raise invalid("the cursor is none that was given here") from None
    return died_at.replace(tzinfo=died_at.tzinfo or UTC), EventId(parse_event(event))


HANDLERS = [
    list_dead_letters,
    show_dead_letter,
    replay_dead_letter,
    replay_dead_letters,
    discard_dead_letter,
]
