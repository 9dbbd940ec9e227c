"""An envelope as an AMQP message, and back."""

from datetime import UTC, datetime
from uuid import NAMESPACE_OID, UUID, uuid5

from aio_pika import DeliveryMode, Message
from aio_pika.abc import AbstractIncomingMessage

from application.events.ports import Envelope
from domain.events import EventId
from domain.ids import WorkspaceId

ATTEMPT, REASON, CONSUMER = "cuebx-attempt", "cuebx-reason", "cuebx-consumer"
_VERSION, _WORKSPACE, _OCCURRED = "cuebx-version", "cuebx-workspace", "cuebx-occurred-at"
_UNKNOWN = datetime(1970, 1, 1, tzinfo=UTC)


def message_of(envelope: Envelope, *, attempt: int = 0, **more: str) -> Message:
    workspace = {} if envelope.workspace is None else {_WORKSPACE: str(envelope.workspace)}
    return Message(
        envelope.body.encode(),
        type=envelope.kind,
        message_id=str(envelope.id),
        content_type="application/json",
        delivery_mode=DeliveryMode.PERSISTENT,
        headers={
            ATTEMPT: attempt,
            _VERSION: envelope.version,
            _OCCURRED: envelope.occurred_at.isoformat(),
            **workspace,
            **{f"cuebx-{name}": value for name, value in more.items()},
        },
    )


def envelope_of(message: AbstractIncomingMessage) -> tuple[Envelope, int]:
    """With the number of the attempt. What no relay of ours has written has no kind, or a version of 0."""
    headers = message.headers
    workspace = _uuid(headers.get(_WORKSPACE))
    envelope = Envelope(
        id=EventId(_uuid(message.message_id) or uuid5(NAMESPACE_OID, message.body.hex())),
        kind=message.type or "",
        version=_number(headers.get(_VERSION)),
        workspace=None if workspace is None else WorkspaceId(workspace),
        occurred_at=_time(headers.get(_OCCURRED)),
        body=message.body.decode("utf-8", "replace"),
    )
    return envelope, _number(headers.get(ATTEMPT))


def death_of(message: AbstractIncomingMessage, prefix: str) -> tuple[str, str]:
    """Whose dead letter it is, and of what it died."""
    headers = message.headers
    queue = str(headers.get("x-first-death-queue", f"{prefix}.unknown"))
    consumer = str(headers.get(CONSUMER, queue.removeprefix(f"{prefix}.")))
    return consumer, str(headers.get(REASON, "whoever acted on it died, over and over"))


def _uuid(given: object) -> UUID | None:
    try:
        return UUID(str(given))
    except ValueError:
        return None


def _number(given: object) -> int:
    return given if isinstance(given, int) else 0


def _time(given: object) -> datetime:
    try:
        return datetime.fromisoformat(str(given))
    except ValueError:
        return _UNKNOWN
