"""A catalog as somebody wrote it, before it is known to make sense."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from domain.errors import Invalid

Path: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """``line`` counts from 1."""

    line: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """Tables, lists and values, and the lines that they stand on.

    ``texts`` has the first and the last line of what is between a string's quotes. ``faults`` are those of
    the notation; because of them, what is ``lost`` could not be read, at or below these paths.
    """

    data: Mapping[str, object]
    lines: Mapping[Path, int] = field(default_factory=dict)
    texts: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    faults: tuple[Fault, ...] = ()
    lost: frozenset[Path] = frozenset()

    def line(self, path: Path, *, within: int = 0) -> int:
        """Of what is at ``path``, or else of what it would be in.

        ``within`` is a line of the text at ``path``, from 1.
        """
        if within and path in self.texts:
            first, last = self.texts[path]
            return min(first + within - 1, last)
        known = (path[:length] for length in range(len(path), 0, -1))
        return next((self.lines[each] for each in known if each in self.lines), 1)

    def may_hold(self, path: Path) -> bool:
        """Whether what is not at ``path`` may be there all the same, in what could not be read."""
        return any(path[:length] in self.lost for length in range(len(path) + 1))


@dataclass(eq=False)
class CatalogUnreadable(Invalid):
    code: ClassVar[str] = "catalog_unreadable"
    file: str
    reason: str

    def __str__(self) -> str:
        return f"{self.file}: {self.reason}"


@dataclass(eq=False)
class CatalogFaulty(Invalid):
    """``faults`` are all that there are, in the order of the file."""

    code: ClassVar[str] = "catalog_faulty"
    file: str
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return "\n".join(f"{self.file}:{fault.line}: {fault.message}" for fault in self.faults)
