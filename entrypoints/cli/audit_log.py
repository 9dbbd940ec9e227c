from datetime import datetime

import click
from dishka import AsyncContainer

from application.actor import Operator
from application.audit.ports import Filter
from application.audit.read import ReadAuditLog
from domain.audit.entry import Entry
from domain.ids import UserId, WorkspaceId, entry_text, user_text
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, as_line, show
from entrypoints.cli.types import PAST, WORKSPACE

_PAGE = 500


def _row(entry: Entry) -> dict[str, object]:
    return {
        "entry_id": entry_text(entry.id),
        "at": entry.at,
        "by": entry.actor_kind if entry.actor is None else user_text(UserId(entry.actor)),
        "from": entry.address,
        "action": entry.action,
        "on": entry.target,
        "before": entry.before,
        "after": entry.after,
    }


@click.command("audit-log")
@click.argument("workspace", type=WORKSPACE)
@click.option("--action", help="Only this, such as key.created.")
@click.option("--from", "start", type=PAST, help="A day or an instant.")
@click.option("--to", "end", type=PAST, help="A day or an instant; the span ends before it.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--lines", is_flag=True, help="All of it, as JSON lines.")
@as_json
@with_services("read_audit_log")
async def audit_log(
    services: AsyncContainer,
    workspace: WorkspaceId,
    *,
    action: str | None,
    start: datetime | None,
    end: datetime | None,
    limit: int,
    lines: bool,
    as_json: bool,
) -> None:
    """What was done to a WORKSPACE's access and money, the newest first."""
    read = await services.get(ReadAuditLog)
    wanted = Filter(action=action, start=start, end=end)
    if lines:
        async for entry in read.whole(Operator(), workspace, wanted, page=_PAGE):
            click.echo(as_line(_row(entry)))
        return
    page = await read(Operator(), workspace, wanted, after=None, limit=limit)
    show([_row(each) for each in page.items], as_json=as_json, empty="Nothing was done.")
