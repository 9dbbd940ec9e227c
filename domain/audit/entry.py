"""Who did what, on what, when, from where. Written with what it tells of, and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias
from uuid import UUID

from domain.ids import EntryId, WorkspaceId

Facts: TypeAlias = Mapping[str, object]
"""As JSON has them: text, numbers, truth, null, lists. Never a secret."""


class ActorKind(StrEnum):
    USER = "user"
    OPERATOR = "operator"
    """Whoever runs CueBX, at the command line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """``target`` is a public id. ``before`` and ``after`` have the members that changed.

    No ``before``: it was made. No ``after``: it is gone.
    """

    workspace: WorkspaceId
    id: EntryId
    at: datetime
    actor_kind: ActorKind
    actor: UUID | None
    address: str | None
    action: str
    target: str
    before: Facts | None = None
    after: Facts | None = None


def changes(before: Facts, after: Facts) -> tuple[Facts, Facts]:
    """The members that differ."""
    names = [name for name in before.keys() | after.keys() if before.get(name) != after.get(name)]
    return {name: before.get(name) for name in names}, {name: after.get(name) for name in names}
