from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol, TypeVar

from domain.credits import format_credits
from domain.errors import Unavailable
from domain.ids import AccountId, KeyId, LotId, ReservationId, WorkspaceId
from domain.usage.balance import Balance
from domain.usage.desk import Command
from domain.usage.limits import Limit, Standing
from domain.usage.record import Sums, UsageRecord
from domain.usage.reservation import Reservation

T = TypeVar("T")
CHARGED_TWICE = "it was charged more than once"
"""The fault whose figures are no credits."""


class Ledger(Protocol):
    """The hot path: each command is one atomic step, decided by itself (``Command.decide``).

    It is durable before its answer is given; the time it decides by is the database's.
    Raises what the command raises; of an account that there is not, ReservationMissing where the command is
    about a reservation and else AccountMissing; and DatabaseUnavailable (the outcome is unknown: the same
    command may be sent again).
    """

    async def execute(self, command: Command[T]) -> T: ...


class RateLimiter(Protocol):
    """Counts calls in moving windows."""

    async def hit(
        self, workspace: WorkspaceId, product: str, limits: Sequence[Limit]
    ) -> tuple[Standing, ...]:
        """Count one call and say where the workspace stands, a standing for each limit.

        Raises RateLimited where one of them is used up. No limits: an empty answer at no cost.
        """


class By(StrEnum):
    DAY = "day"
    HOUR = "hour"
    FEATURE = "feature"
    KEY = "key"


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageGroup:
    """Sums over what the named parts have in common; a part not asked for is None."""

    day: datetime | None = None
    hour: datetime | None = None
    feature: str | None = None
    key: KeyId | None = None
    sums: Sums


@dataclass(frozen=True, slots=True)
class Place:
    """Behind which record a page begins."""

    recorded_at: datetime
    id: ReservationId


class UsageReader(Protocol):
    """The books of one account, as they stand at this instant. Raises DatabaseUnavailable."""

    async def balance(self, account: AccountId) -> Balance:
        """Raises AccountMissing."""

    async def reservation(self, account: AccountId, id: ReservationId) -> Reservation:
        """One past its deadline is expired. Raises ReservationMissing."""

    async def unstarted(self, account: AccountId, *, limit: int) -> Sequence[ReservationId]:
        """Holds before their deadline for which no call has begun; what runs out first comes first."""

    async def sums(
        self, account: AccountId, start: datetime, end: datetime, by: frozenset[By]
    ) -> Sequence[UsageGroup]:
        """From ``start`` up to but without ``end``, both whole hours; sorted by time, feature, key."""

    async def records(
        self, account: AccountId, start: datetime, end: datetime, *, after: Place | None, limit: int
    ) -> Sequence[UsageRecord]:
        """The newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in the books that does not add up. Figures in microcredits."""

    account: AccountId
    lot: LotId | None = None
    reservation: ReservationId | None = None
    fault: str
    expected: int
    found: int

    @property
    def figures(self) -> tuple[str, str]:
        """What was expected and found, as people read it: credits, or how often it was charged."""
        if self.fault == CHARGED_TWICE:
            return str(self.expected), str(self.found)
        return format_credits(self.expected), format_credits(self.found)


@dataclass(eq=False)
class AuditTooSlow(Unavailable):
    """``seconds`` is how long it was given."""

    code: ClassVar[str] = "audit_too_slow"
    seconds: float

    def __str__(self) -> str:
        return f"the audit was not done within {self.seconds:g} s: give it longer with --timeout"


class Auditor(Protocol):
    async def audit(self, *, seconds: float) -> Sequence[Finding]:
        """Recounts every account from its reservations, charges and grants, on one snapshot.

        It may take ``seconds``, whatever other statements may take. Raises AuditTooSlow, DatabaseUnavailable.
        """
