"""The families of what can go wrong. An edge maps a family to its own terms; a slice names the fault."""

from dataclasses import dataclass
from typing import ClassVar


class DomainError(Exception):
    """An answer, not a bug. ``code`` is stable for programs; dataclass fields are facts for the caller."""

    code: ClassVar[str]


class Invalid(DomainError):
    """What was asked makes no sense."""


class Unauthenticated(DomainError):
    """Nobody we know asks."""


class Unaffordable(DomainError):
    """There are not enough credits."""


class Denied(DomainError):
    """We know who asks; it is not theirs to do."""


class Missing(DomainError):
    """There is no such thing, or it is somebody else's."""


class Conflict(DomainError):
    """It contradicts what is already so."""


class Limited(DomainError):
    """Too much in too short a time. Its errors have a field ``retry_after`` in whole seconds."""


class Unavailable(DomainError):
    """Something that we need is away. It may work later."""


class Away(Unavailable):
    """A service that what was begun has to wait for: it is not given up for hours or days of it."""


class UpstreamFailed(DomainError):
    """The model's service answered with a failure, or with rubbish."""


class UpstreamLate(DomainError):
    """The model's service did not answer in time."""


class SchemaBehind(Unavailable):
    code: ClassVar[str] = "schema_behind"

    def __str__(self) -> str:
        return "the database lacks a table of this version: run cuebx db upgrade"


@dataclass(eq=False)
class DatabaseUnavailable(Unavailable):
    """It was away, or did not answer in time. Whether a commit arrived before that, nobody knows."""

    code: ClassVar[str] = "database_unavailable"
    retry_after: int = 1

    def __str__(self) -> str:
        return (
            "the database is away or slow, and what was asked may have been done or not:"
            " repeat it, with the same Idempotency-Key where it had one"
        )
