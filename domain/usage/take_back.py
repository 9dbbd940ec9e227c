from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from domain.ids import AccountId
from domain.usage.desk import Desk
from domain.usage.errors import LotMissing


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Microcredits, of this and of all times before. ``waits`` are held, and come when that is settled."""

    taken: int
    owed: int
    waits: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeBack:
    """Of the lot with this ``reference``, ``amount`` microcredits in all were paid back to the customer.

    What is free of it is gone. What was spent of it is owed: it counts as borrowed, and later lots pay it
    back first. ``amount`` is of all times together, so a repeat changes nothing; where it is less than
    before, the difference is given again. Raises LotMissing.
    """

    account: AccountId
    reference: str
    amount: int

    reservation: None = None
    request: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> TakenBack:
        lot = next((each for each in desk.lots.values() if each.reference == self.reference), None)
        if lot is None:
            raise LotMissing(self.reference)
        left = min(self.amount, lot.granted + lot.refunded) - lot.refunded
        if left <= 0:
            given = replace(lot, granted=lot.granted - left, refunded=lot.refunded + left)
            if left:
                desk.receive(given, now)
            return TakenBack(given.refunded, 0, 0)
        free = min(left, lot.free)
        spent = min(left - free, lot.spent)
        taken = replace(
            lot,
            granted=lot.granted - free - spent,
            spent=lot.spent - spent,
            refunded=lot.refunded + free + spent,
        )
        desk.put_lot(taken)
        if spent:
            desk.owe(taken, spent, now)
        return TakenBack(taken.refunded, spent, left - free - spent)
