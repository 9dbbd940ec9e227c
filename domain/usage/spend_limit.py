"""What a key, or all keys of one member, may spend: decided where the account is, in the same transaction.

Everything that is held or charged counts in the period in which it was held or charged first, so a call that
outlasts its period takes nothing from the next one, but for what it is extended by, or costs more, there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import ClassVar, NamedTuple, Self
from uuid import UUID

from domain.credits import format_credits
from domain.errors import Missing, Unaffordable
from domain.ids import AccountId, KeyId, LimitId, limit_text


class Per(StrEnum):
    """Days and months are those of the calendar, in UTC."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"

    def start(self, now: datetime) -> datetime | None:
        """When the one that holds ``now`` began."""
        day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if self is Per.TOTAL:
            return None
        return day if self is Per.DAY else day.replace(day=1)


class SubjectKind(StrEnum):
    KEY = "key"
    MEMBER = "member"


@dataclass(eq=False)
class SpendLimitReached(Unaffordable):
    """``needed`` and ``available`` (under the limit) are microcredits."""

    code: ClassVar[str] = "spend_limit_reached"
    account: AccountId
    limit: LimitId
    needed: int
    available: int

    def __str__(self) -> str:
        needed, available = format_credits(self.needed), format_credits(self.available)
        limit = limit_text(self.account, self.limit)
        return f"the call may cost {needed} credits, and the limit {limit} leaves {available}"


class LimitMissing(Missing):
    code: ClassVar[str] = "limit_missing"

    def __str__(self) -> str:
        return "there is no such limit"


class Counted(NamedTuple):
    """So many microcredits under a limit, in its period since ``since``: held, and spent once settled."""

    limit: LimitId
    since: datetime
    amount: int


class ShadowRefusal(NamedTuple):
    """A call that a shadow limit would have refused; it lacked ``missing`` microcredits."""

    account: AccountId
    limit: LimitId
    key: KeyId | None
    missing: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendLimit:
    """``held`` and ``spent`` are of the period since ``since``. It counts from when it was made.

    A shadow one refuses nothing, so it may be exceeded; so may one whose ``amount`` was lowered.
    """

    account: AccountId
    id: LimitId
    subject: UUID
    subject_kind: SubjectKind
    period: Per
    amount: int
    shadow: bool
    created_at: datetime
    since: datetime
    held: int = 0
    spent: int = 0

    def __post_init__(self) -> None:
        if self.amount < 0 or self.held < 0 or self.spent < 0:
            raise ValueError(f"a limit out of balance: {self}")

    @property
    def left(self) -> int:
        """Below zero where it was exceeded."""
        return self.amount - self.held - self.spent

    def at(self, now: datetime) -> Self:
        """In the period that holds ``now``."""
        start = self.period.start(now)
        since = self.created_at if start is None else max(start, self.created_at)
        return self if since <= self.since else replace(self, since=since, held=0, spent=0)

    def hold(self, amount: int) -> Self:
        return replace(self, held=self.held + amount)

    def settle(self, held: int, *, spent: int) -> Self:
        """Of what it held, so much is held no more; and so much is spent."""
        return replace(self, held=self.held - held, spent=self.spent + spent)

    def change(self, *, amount: int | None = None, shadow: bool | None = None) -> Self:
        return replace(
            self,
            amount=self.amount if amount is None else amount,
            shadow=self.shadow if shadow is None else shadow,
        )


def narrowest(limits: Iterable[SpendLimit]) -> SpendLimit | None:
    """Of those that refuse, the one that leaves least."""
    return min((each for each in limits if not each.shadow), key=lambda each: each.left, default=None)


def room_under(limit: SpendLimit | None, free: int) -> int:
    """Of ``free`` microcredits, what may be taken."""
    return free if limit is None else min(free, max(0, limit.left))


def add(counted: Sequence[Counted], more: Iterable[Counted]) -> tuple[Counted, ...]:
    """Together, one for each limit and period, in the order in which they came."""
    sums: dict[tuple[LimitId, datetime], int] = {}
    for each in (*counted, *more):
        sums[each.limit, each.since] = sums.get((each.limit, each.since), 0) + each.amount
    return tuple(Counted(*key, amount) for key, amount in sums.items())


def first(counted: Iterable[Counted], amount: int) -> tuple[Counted, ...]:
    """Of each limit's, the first ``amount``."""
    left: dict[LimitId, int] = {}
    taken = []
    for each in counted:
        part = min(each.amount, left.get(each.limit, amount))
        left[each.limit] = left.get(each.limit, amount) - part
        if part:
            taken.append(each._replace(amount=part))
    return tuple(taken)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowSum:
    """What a shadow limit would have refused one key. ``missing`` is what all these calls lacked."""

    account: AccountId
    limit: LimitId
    key: KeyId | None
    count: int
    missing: int
    first_at: datetime
    last_at: datetime


def shadow_sums(refusals: Iterable[ShadowRefusal]) -> list[ShadowSum]:
    """One for each limit and key. ``refusals`` are in the order of time."""
    groups: dict[tuple[LimitId, KeyId | None], list[ShadowRefusal]] = {}
    for each in refusals:
        groups.setdefault((each.limit, each.key), []).append(each)
    return [
        ShadowSum(
            account=group[0].account,
            limit=limit,
            key=key,
            count=len(group),
            missing=sum(each.missing for each in group),
            first_at=group[0].at,
            last_at=group[-1].at,
        )
        for (limit, key), group in groups.items()
    ]
