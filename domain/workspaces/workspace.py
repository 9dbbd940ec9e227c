from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from domain.errors import Invalid, Missing
from domain.ids import WorkspaceId

LONGEST_NAME = 100


class Kind(StrEnum):
    PERSONAL = "personal"
    TEAM = "team"


class WorkspaceMissing(Missing):
    code: ClassVar[str] = "workspace_missing"

    def __str__(self) -> str:
        return "there is no such workspace"


class NameRefused(Invalid):
    code: ClassVar[str] = "name_refused"

    def __str__(self) -> str:
        return f"a name has 1 to {LONGEST_NAME} printable characters"


def check_name(name: str) -> str:
    """``name`` without the space around it. Raises NameRefused."""
    name = name.strip()
    if not 0 < len(name) <= LONGEST_NAME or not name.isprintable():
        raise NameRefused
    return name


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The tenant. A frozen one reads, and spends nothing."""

    id: WorkspaceId
    name: str
    kind: Kind
    created_at: datetime
    frozen_at: datetime | None = None

    def freeze(self, now: datetime) -> Self:
        return self if self.frozen_at is not None else replace(self, frozen_at=now)

    def unfreeze(self) -> Self:
        return replace(self, frozen_at=None)
