import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Self

from domain.errors import Invalid, Missing
from domain.ids import WorkspaceId
from domain.workspaces.errors import (
    NameNotTyped,
    PersonalWorkspace,
    SeatsNeeded,
    SeatsTaken,
    SlugRefused,
)

LONGEST_NAME = 100
LONGEST_SLUG = 40
_SLUG = re.compile(rf"(?=.{{3,{LONGEST_SLUG}}}$)[a-z0-9]+(-[a-z0-9]+)*")


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


def check_slug(slug: str) -> str:
    """Raises SlugRefused."""
    if not _SLUG.fullmatch(slug):
        raise SlugRefused
    return slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """The tenant. A frozen one reads, and spends nothing; of a deleted one only the books are left.

    ``seats`` is how many members may be enabled. ``slug`` is for addresses of pages; no two have the same.
    """

    id: WorkspaceId
    name: str
    kind: Kind
    created_at: datetime
    seats: int = 1
    slug: str | None = None
    frozen_at: datetime | None = None
    deleted_at: datetime | None = None

    def freeze(self, now: datetime) -> Self:
        return self if self.frozen_at is not None else replace(self, frozen_at=now)

    def unfreeze(self) -> Self:
        return replace(self, frozen_at=None)

    def check_team(self) -> None:
        """Raises PersonalWorkspace."""
        if self.kind is Kind.PERSONAL:
            raise PersonalWorkspace

    def check_seat(self, taken: int) -> None:
        """Whether one more can be seated where ``taken`` seats are. Raises SeatsTaken."""
        if taken >= self.seats:
            raise SeatsTaken(self.seats)

    def with_seats(self, seats: int, taken: int) -> Self:
        """Raises PersonalWorkspace; SeatsNeeded where more are taken."""
        self.check_team()
        if seats < taken:
            raise SeatsNeeded(taken)
        return replace(self, seats=seats)

    def erase(self, now: datetime) -> Self:
        """Of a personal one, when its owner's account goes: not even the name is left."""
        return replace(self.freeze(now), name="erased", slug=None, deleted_at=now)

    def delete(self, typed: str, now: datetime) -> Self:
        """Nothing is spent from now on, and another may have the slug.

        Raises PersonalWorkspace, NameNotTyped.
        """
        self.check_team()
        if typed != self.name:
            raise NameNotTyped
        return replace(self.freeze(now), deleted_at=now, slug=None)
