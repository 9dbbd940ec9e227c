from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.base import table
from adapters.postgres.faults import reaching
from adapters.postgres.records import AccountRecord, ReservationRecord
from adapters.postgres.records.ledger import OPEN
from application.usage.tidy import OverdueHolds
from domain.ids import AccountId

_reservation = table(ReservationRecord)
_account = table(AccountRecord)
_OVERDUE = (
    sa.select(_reservation.c.account_id)
    .join_from(_reservation, _account, _reservation.c.account_id == _account.c.id)
    .where(sa.text(OPEN), _reservation.c.expires_at <= sa.func.now(), _account.c.parked_at.is_(None))
    .distinct()
    .order_by(_reservation.c.account_id)
)


class SqlOverdueHolds(OverdueHolds):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def accounts(self, *, after: AccountId | None, limit: int) -> Sequence[AccountId]:
        wanted = _OVERDUE.limit(limit)
        if after is not None:
            wanted = wanted.where(_reservation.c.account_id > after)
        with reaching():
            async with self._engine.connect() as connection:
                return [AccountId(id) for id in await connection.scalars(wanted)]
