from dataclasses import dataclass
from datetime import datetime

from domain.usage.account import Account
from domain.usage.desk import Desk
from domain.usage.lot import Lot, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An account at one instant. ``available``, ``held`` and ``overdrawn`` are microcredits.

    ``lots`` are those that hold or give something, in the order in which they burn.
    """

    account: Account
    at: datetime
    available: int
    held: int
    overdrawn: int
    lots: tuple[Lot, ...]

    @classmethod
    def of(cls, desk: Desk, now: datetime) -> "Balance":
        """After what time has done: expired holds and lots do not count, a due period is open."""
        desk.open(now)
        lent = [lot for lot in desk.lots.values() if lot.source is Source.OVERDRAFT]
        own = [lot for lot in desk.lots.values() if lot.source is not Source.OVERDRAFT]
        usable = [lot for lot in own if lot.held or (lot.free and lot.expires_at > now)]
        return cls(
            account=desk.account,
            at=now,
            available=desk.available(now),
            held=sum(lot.held for lot in own),
            overdrawn=sum(lot.spent for lot in lent),
            lots=tuple(sorted(usable, key=lambda lot: lot.burn_order)),
        )
