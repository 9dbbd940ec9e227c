from collections.abc import Sequence
from datetime import datetime

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.books import ACCOUNTS
from adapters.postgres.records import AccountRecord
from application.billing.ports import BillingAccounts
from application.keys.ports import Accounts
from application.usage.parking import Parked, ParkedAccounts
from domain.billing.top_up import AutoTopUp
from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.account import Account
from domain.usage.errors import AccountMissing

_IN_ORDER = ACCOUNTS.order_by(AccountRecord.id)


class SqlAccounts(Accounts, BillingAccounts, ParkedAccounts):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, account: Account) -> None:
        self._session.add(
            AccountRecord(
                id=account.id,
                workspace_id=account.workspace,
                product=account.plan.product,
                plan=account.plan.plan,
                plan_version=account.plan.version,
                anchor=account.anchor,
                period_end=account.period_end,
                created_at=account.anchor,
            )
        )
        await self._session.flush()

    async def get(self, id: AccountId) -> Account:
        row = (await self._session.execute(ACCOUNTS, {"accounts": [id]})).mappings().one_or_none()
        if row is None:
            raise AccountMissing
        return msgspec.convert(dict(row), Account)

    async def hold(self, workspace: WorkspaceId) -> Sequence[Account]:
        await self._session.execute(
            sa.select(AccountRecord.id)
            .where(AccountRecord.workspace_id == workspace)
            .order_by(AccountRecord.id)
            .with_for_update(key_share=True)
        )
        return await self.of(workspace)

    async def of(self, workspace: WorkspaceId) -> Sequence[Account]:
        return await self._named(AccountRecord.workspace_id == workspace)

    async def all(self) -> Sequence[Account]:
        return await self._named(sa.true())

    async def settle(self, id: AccountId, plan: PlanRef, *, freezes_at: datetime | None) -> None:
        settled = sa.update(AccountRecord).where(AccountRecord.id == id)
        await self._session.execute(
            settled.values(plan=plan.plan, plan_version=plan.version, freezes_at=freezes_at)
        )

    async def auto_top_up(self, id: AccountId) -> AutoTopUp | None:
        wanted = sa.select(
            AccountRecord.top_up_below, AccountRecord.top_up_pack, AccountRecord.top_up_monthly
        ).where(AccountRecord.id == id, AccountRecord.top_up_below.is_not(None))
        row = (await self._session.execute(wanted)).one_or_none()
        if row is None:
            return None
        return msgspec.convert(dict(zip(("below", "pack", "monthly"), row, strict=True)), AutoTopUp)

    async def set_auto_top_up(self, id: AccountId, wanted: AutoTopUp | None) -> None:
        below, pack, monthly = (
            (None, None, None) if wanted is None else (wanted.below, wanted.pack, wanted.monthly)
        )
        changed = sa.update(AccountRecord).where(AccountRecord.id == id)
        await self._session.execute(
            changed.values(top_up_below=below, top_up_pack=pack, top_up_monthly=monthly)
        )

    async def freezes_at(self, id: AccountId) -> datetime | None:
        when: datetime | None = await self._session.scalar(
            sa.select(AccountRecord.freezes_at).where(AccountRecord.id == id)
        )
        return when

    async def freezing(self, by: datetime) -> Sequence[tuple[AccountId, datetime]]:
        when = AccountRecord.freezes_at
        wanted = sa.select(AccountRecord.id, when).where(when <= by).order_by(when, AccountRecord.id)
        rows = await self._session.execute(wanted)
        return [(AccountId(id), at) for id, at in rows if at is not None]

    async def with_auto_top_up(self) -> Sequence[AccountId]:
        wanted = sa.select(AccountRecord.id).where(AccountRecord.top_up_below.is_not(None))
        return [AccountId(each) for each in await self._session.scalars(wanted.order_by(AccountRecord.id))]

    async def park(self, id: AccountId, *, reason: str, at: datetime) -> bool:
        free = sa.update(AccountRecord).where(AccountRecord.id == id, AccountRecord.parked_at.is_(None))
        parked = free.values(parked_at=at, parked_reason=reason).returning(AccountRecord.id)
        return await self._session.scalar(parked) is not None

    async def unpark(self, id: AccountId) -> bool:
        parked = sa.update(AccountRecord).where(AccountRecord.id == id, AccountRecord.parked_at.is_not(None))
        freed = parked.values(parked_at=None, parked_reason=None).returning(AccountRecord.id)
        return await self._session.scalar(freed) is not None

    async def parked(self) -> Sequence[Parked]:
        wanted = sa.select(
            AccountRecord.id, AccountRecord.workspace_id, AccountRecord.parked_at, AccountRecord.parked_reason
        ).where(AccountRecord.parked_at.is_not(None))
        rows = await self._session.execute(wanted.order_by(AccountRecord.parked_at, AccountRecord.id))
        return [
            Parked(AccountId(id), WorkspaceId(place), at, reason)
            for id, place, at, reason in rows
            if at and reason
        ]

    async def _named(self, condition: sa.ColumnElement[bool]) -> Sequence[Account]:
        ids = sa.select(sa.func.array_agg(AccountRecord.id)).where(condition)
        every = (await self._session.execute(ids)).scalar_one()
        rows = (await self._session.execute(_IN_ORDER, {"accounts": every or []})).mappings()
        return [msgspec.convert(dict(row), Account) for row in rows]
