"""What keys and members may spend: set, listed, removed; and whom the shadow ones would have refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.ids import AccountId, LimitId
from domain.usage.spend_limit import Per, ShadowSum, SpendLimit, SubjectKind


class SpendLimits(Protocol):
    """Of one account, whose credits do not move while a transaction has it locked."""

    async def lock(self, account: AccountId) -> None:
        """Raises AccountMissing."""

    async def add(self, limit: SpendLimit) -> None: ...

    async def get(self, account: AccountId, id: LimitId) -> SpendLimit:
        """Raises LimitMissing."""

    async def save(self, limit: SpendLimit) -> None:
        """Its amount, and whether it is a shadow. What counts under it is the ledger's."""

    async def remove(self, account: AccountId, id: LimitId) -> None: ...

    async def of(self, account: AccountId) -> Sequence[SpendLimit]:
        """Oldest first."""

    async def shadow(self, account: AccountId, id: LimitId) -> Sequence[ShadowSum]:
        """The keys that it would have refused, the most often refused first."""


class SpendLimitsTx(Protocol):
    @property
    def spend_limits(self) -> SpendLimits: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedLimit:
    """``amount`` is microcredits. There is one for each subject and period, and a shadow one beside it."""

    account: AccountId
    subject: UUID
    subject_kind: SubjectKind
    period: Per
    amount: int
    shadow: bool
