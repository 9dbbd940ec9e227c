from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.audit.entry import Entry
from domain.ids import EntryId, UserId, WorkspaceId
from domain.workspaces.member import Membership


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """What is None does not narrow. ``start`` is part of the span, ``end`` is not."""

    action: str | None = None
    actor: UUID | None = None
    start: datetime | None = None
    end: datetime | None = None


class AuditLog(Protocol):
    async def add(self, entry: Entry) -> None: ...

    async def of(
        self, workspace: WorkspaceId, wanted: Filter, *, after: EntryId | None, limit: int
    ) -> Sequence[Entry]:
        """The newest first, behind ``after``."""


class Standing(Protocol):
    async def find(self, workspace: WorkspaceId, user: UserId) -> Membership | None:
        """As it is now. Not locked."""


class AuditTx(Protocol):
    @property
    def members(self) -> Standing: ...

    @property
    def audit(self) -> AuditLog: ...
