from dataclasses import dataclass
from datetime import datetime

from application.ports import NewId
from application.usage.ports import Ledger
from domain.ids import AccountId, LotId
from domain.usage.grant import Grant, Granted
from domain.usage.lot import NEVER, Source


@dataclass(frozen=True, slots=True)
class GrantCredits:
    ledger: Ledger
    new_id: NewId

    async def __call__(
        self,
        account: AccountId,
        *,
        source: Source,
        amount: int,
        reference: str | None = None,
        priority: int | None = None,
        expires_at: datetime = NEVER,
    ) -> Granted:
        """``amount`` in microcredits. One ``reference`` grants once; without one each call grants anew.

        Raises AccountMissing, GrantReferenceReused.
        """
        id = LotId(self.new_id())
        return await self.ledger.execute(
            Grant(
                account=account,
                id=id,
                source=source,
                amount=amount,
                reference=reference or str(id),
                priority=priority,
                expires_at=expires_at,
            )
        )
