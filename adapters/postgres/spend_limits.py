from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.books import FIELDS
from adapters.postgres.records import AccountRecord, ShadowRefusalRecord, SpendLimitRecord
from application.usage.spend_limits import SpendLimits
from domain.ids import AccountId, LimitId
from domain.usage.errors import AccountMissing
from domain.usage.spend_limit import LimitMissing, ShadowSum, SpendLimit

_limit = table(SpendLimitRecord)
_refusal = table(ShadowRefusalRecord)


class SqlSpendLimits(SpendLimits):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def lock(self, account: AccountId) -> None:
        found = await self._session.scalar(
            sa.select(AccountRecord.id).where(AccountRecord.id == account).with_for_update(key_share=True)
        )
        if found is None:
            raise AccountMissing

    async def add(self, limit: SpendLimit) -> None:
        values = {column.key: getattr(limit, FIELDS.get(column.key, column.key)) for column in _limit.c}
        await self._session.execute(sa.insert(_limit).values(values))

    async def get(self, account: AccountId, id: LimitId) -> SpendLimit:
        rows = await self._session.execute(
            sa.select(_limit).where(_limit.c.account_id == account, _limit.c.id == id)
        )
        row = rows.mappings().one_or_none()
        if row is None:
            raise LimitMissing
        return _limit_from(row)

    async def save(self, limit: SpendLimit) -> None:
        await self._session.execute(
            sa.update(_limit)
            .where(_limit.c.account_id == limit.account, _limit.c.id == limit.id)
            .values(amount=limit.amount, shadow=limit.shadow)
        )

    async def remove(self, account: AccountId, id: LimitId) -> None:
        for each in (_refusal.c.limit_id, _limit.c.id):
            await self._session.execute(
                sa.delete(each.table).where(each.table.c.account_id == account, each == id)
            )

    async def of(self, account: AccountId) -> Sequence[SpendLimit]:
        rows = await self._session.execute(
            sa.select(_limit).where(_limit.c.account_id == account).order_by(_limit.c.id)
        )
        return [_limit_from(row) for row in rows.mappings()]

    async def shadow(self, account: AccountId, id: LimitId) -> Sequence[ShadowSum]:
        rows = await self._session.execute(
            sa.select(_refusal)
            .where(_refusal.c.account_id == account, _refusal.c.limit_id == id)
            .order_by(_refusal.c["count"].desc(), _refusal.c.key_id)
        )
        return [msgspec.convert(_fields(row), ShadowSum) for row in rows.mappings()]


def _limit_from(row: sa.RowMapping) -> SpendLimit:
    return msgspec.convert(_fields(row), SpendLimit)


def _fields(row: sa.RowMapping) -> dict[str, object]:
    return {FIELDS.get(name, name): value for name, value in row.items()}
