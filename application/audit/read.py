from collections.abc import AsyncIterator
from dataclasses import dataclass

from application.actor import Member, Operator
from application.audit.ports import AuditTx, Filter
from application.pages import Page
from application.ports import UnitOfWork
from domain.audit.entry import Entry
from domain.ids import EntryId, WorkspaceId


@dataclass(frozen=True, slots=True)
class ReadAuditLog:
    """Of the member's workspace, or of any for an operator. The newest first."""

    uow: UnitOfWork[AuditTx]

    async def __call__(
        self,
        _: Member | Operator,
        workspace: WorkspaceId,
        wanted: Filter,
        *,
        after: EntryId | None,
        limit: int,
    ) -> Page[Entry]:
        async with self.uow() as tx:
            found = await tx.audit.of(workspace, wanted, after=after, limit=limit + 1)
        return Page.of(found, limit)

    async def whole(
        self, actor: Member | Operator, workspace: WorkspaceId, wanted: Filter, *, page: int
    ) -> AsyncIterator[Entry]:
        """All that ``wanted`` leaves, ``page`` of them in a transaction."""
        after, more = None, True
        while more:
            found = await self(actor, workspace, wanted, after=after, limit=page)
            for entry in found.items:
                yield entry
                after = entry.id
            more = found.more
