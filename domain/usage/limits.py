from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from domain.errors import Limited


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``calls`` in any window of ``seconds``. ``name`` is the policy's name in the headers.

    ``owner``: whose own it is, within the workspace; where it is empty, all of the workspace's.
    """

    name: str
    calls: int
    seconds: int
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where somebody stands under a limit: ``remaining`` calls, and ``reset`` seconds until more."""

    limit: Limit
    remaining: int
    reset: int


@dataclass(eq=False)
class RateLimited(Limited):
    """``retry_after`` is whole seconds, at least 1."""

    code: ClassVar[str] = "rate_limited"
    limit: str
    retry_after: int
    standings: tuple[Standing, ...]

    @classmethod
    def of(cls, standings: Sequence[Standing]) -> Self:
        """By the limits that are used up; the caller has to wait for the last of them."""
        last = max((each for each in standings if not each.remaining), key=lambda each: each.reset)
        return cls(limit=last.limit.name, retry_after=max(1, last.reset), standings=tuple(standings))

    def __str__(self) -> str:
        owner, _, unit = self.limit.rpartition("_")
        return (
            f"the {owner or 'plan'}'s limit of calls per {unit} is used up; try again in {self.retry_after} s"
        )
