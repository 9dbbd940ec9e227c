from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.books import ACCOUNTS
from adapters.postgres.records import AccountRecord
from application.keys.ports import Accounts
from application.workspaces.ports import WorkspaceAccounts
from domain.ids import AccountId, WorkspaceId
from domain.usage.account import Account
from domain.usage.errors import AccountMissing

_IN_ORDER = ACCOUNTS.order_by(AccountRecord.id)


class SqlAccounts(Accounts, WorkspaceAccounts):
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

    async def _named(self, condition: sa.ColumnElement[bool]) -> Sequence[Account]:
        ids = sa.select(sa.func.array_agg(AccountRecord.id)).where(condition)
        every = (await self._session.execute(ids)).scalar_one()
        rows = (await self._session.execute(_IN_ORDER, {"accounts": every or []})).mappings()
        return [msgspec.convert(dict(row), Account) for row in rows]
