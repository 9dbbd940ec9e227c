"""What was done to a workspace's access and money: filtered and paged, or whole as JSON lines."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any

import msgspec
from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from litestar.response import Stream
from msgspec import Struct

from application.actor import Member
from application.audit.ports import Filter
from application.audit.read import ReadAuditLog
from domain.audit.entry import Entry
from domain.ids import UserId, entry_text, parse_entry, parse_user, user_text
from entrypoints.http.members import Cursor
from entrypoints.http.routes import reading
from entrypoints.http.usage import From, To, instant
from entrypoints.http.workspaces import PATH as WORKSPACE
from entrypoints.http.workspaces import TAG, WorkspacePath

JSON_LINES = "application/jsonl"
Action = Annotated[
    str | None,
    QueryParameter(
        max_length=100, pattern=r"^[a-z_]+\.[a-z_]+$", description="Only this, such as `key.created`"
    ),
]
By = Annotated[str | None, QueryParameter(max_length=100, description="Only what this user did")]
_encode = msgspec.json.Encoder().encode
_PAGE = 500


class EntryAnswer(Struct, frozen=True, kw_only=True):
    """``before`` and ``after`` have what changed. ``user_id`` is null where the operator did it."""

    id: str
    at: datetime
    by: str
    user_id: str | None
    address: str | None
    action: str
    target: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None

    @classmethod
    def of(cls, entry: Entry) -> "EntryAnswer":
        return cls(
            id=entry_text(entry.id),
            at=entry.at,
            by=entry.actor_kind,
            user_id=None if entry.actor is None else user_text(UserId(entry.actor)),
            address=entry.address,
            action=entry.action,
            target=entry.target,
            before=None if entry.before is None else dict(entry.before),
            after=None if entry.after is None else dict(entry.after),
        )


class EntriesAnswer(Struct, frozen=True, kw_only=True):
    """The newest first. ``next_cursor`` is null on the last page."""

    items: list[EntryAnswer]
    next_cursor: str | None


def wanted_entries(action: str | None, actor: str | None, start: str | None, end: str | None) -> Filter:
    """Raises MalformedId, Refusal."""
    user = None if actor is None else parse_user(actor)
    return Filter(action=action, actor=user, start=instant("from", start), end=instant("to", end))


@reading(
    WORKSPACE + "/audit-log",
    by=Member,
    tag=TAG,
)
async def read_audit_log(
    *,
    workspace: WorkspacePath,  # noqa: ARG001 - the guard has read it
    member: NamedDependency[Member],
    read: FromDishka[ReadAuditLog],
    action: Action = None,
    actor: By = None,
    start: From = None,
    end: To = None,
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> EntriesAnswer:
    """Who did what, on what, when, and from where."""
    wanted = wanted_entries(action, actor, start, end)
    after = None if cursor is None else parse_entry(cursor)
    page = await read(member, member.workspace, wanted, after=after, limit=limit)
    return EntriesAnswer(
        items=[EntryAnswer.of(each) for each in page.items],
        next_cursor=entry_text(page.items[-1].id) if page.more else None,
    )


@reading(
    WORKSPACE + "/audit-log/export",
    by=Member,
    tag=TAG,
    tells="An entry on each line, in the form of the paged ones",
    media_type=JSON_LINES,
)
async def export_audit_log(
    *,
    workspace: WorkspacePath,  # noqa: ARG001 - as above
    member: NamedDependency[Member],
    read: FromDishka[ReadAuditLog],
    action: Action = None,
    actor: By = None,
    start: From = None,
    end: To = None,
) -> Stream:
    """All of it, or what the filters leave, as JSON lines; the newest first."""
    entries = read.whole(member, member.workspace, wanted_entries(action, actor, start, end), page=_PAGE)
    headers = {"Content-Disposition": 'attachment; filename="audit-log.jsonl"'}
    return Stream(_lines(entries), media_type=JSON_LINES, headers=headers)


async def _lines(entries: AsyncIterator[Entry]) -> AsyncIterator[bytes]:
    async for each in entries:
        yield _encode(EntryAnswer.of(each)) + b"\n"


HANDLERS = [read_audit_log, export_audit_log]
