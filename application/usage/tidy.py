import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from application.usage.ports import Ledger
from domain.errors import DatabaseUnavailable
from domain.ids import AccountId, account_text
from domain.usage.tidy import Tidy

_log = logging.getLogger(__name__)
TOGETHER = 16
"""Accounts that are tidied at once: the ledger locks them together, so not too many."""


class OverdueHolds(Protocol):
    async def accounts(self, *, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        """Behind ``after``, those with open holds whose deadline has passed. Parked ones are left alone."""


@dataclass(frozen=True, slots=True)
class TidyReservations:
    """Ends holds that ran out, where nobody has looked since. They count for nothing already.

    What each comes to, a refund or a charge, the domain decides and records, as it does when somebody looks.
    """

    holds: OverdueHolds
    ledger: Ledger

    async def __call__(self) -> Mapping[str, int]:
        """Raises DatabaseUnavailable."""
        tidied, failed, after = 0, 0, None
        while page := await self.holds.accounts(after=after, limit=TOGETHER):
            after = page[-1]
            ends = await asyncio.gather(*map(self._tidy, page))
            tidied += sum(ends)
            failed += len(ends) - sum(ends)
        return {"accounts": tidied, "failed": failed}

    async def _tidy(self, account: AccountId) -> bool:
        try:
            await self.ledger.execute(Tidy(account=account))
        except DatabaseUnavailable:
            raise
        except Exception:  # noqa: BLE001 - its books do not add up, which the audit tells; others' do
            _log.exception("%s could not be tidied", account_text(account))
            return False
        return True
