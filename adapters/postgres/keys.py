from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.listener import KEYS_CHANGED
from adapters.postgres.records import KeyRecord
from application.keys.ports import Keys
from domain.ids import AccountId, KeyId, WorkspaceId
from domain.keys.errors import KeyMissing
from domain.keys.key import Key, KeyKind


class SqlKeys(Keys):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: Key) -> None:
        self._session.add(
            KeyRecord(
                id=key.id,
                kind=key.kind,
                digest=key.digest,
                name=key.name,
                last_four=key.last_four,
                workspace_id=key.workspace,
                account_id=key.account,
                created_at=key.created_at,
                expires_at=key.expires_at,
                revoked_at=key.revoked_at,
            )
        )
        await self._session.flush()

    async def get(self, id: KeyId) -> Key:
        record = await self._session.get(KeyRecord, id, with_for_update=True)
        if record is None:
            raise KeyMissing
        return key_from(record)

    async def save(self, key: Key) -> None:
        await self._session.execute(
            sa.update(KeyRecord)
            .where(KeyRecord.id == key.id)
            .values(name=key.name, expires_at=key.expires_at, revoked_at=key.revoked_at)
        )
        await self._session.execute(sa.select(sa.func.pg_notify(KEYS_CHANGED, key.digest.hex())))

    async def of(self, workspace: WorkspaceId | None) -> Sequence[Key]:
        records = await self._session.scalars(
            sa.select(KeyRecord)
            .where(KeyRecord.workspace_id.is_not_distinct_from(workspace))
            .order_by(KeyRecord.id)
        )
        return [key_from(record) for record in records]


def key_from(record: KeyRecord) -> Key:
    return Key(
        id=KeyId(record.id),
        kind=KeyKind(record.kind),
        digest=record.digest,
        name=record.name,
        last_four=record.last_four,
        workspace=None if record.workspace_id is None else WorkspaceId(record.workspace_id),
        account=None if record.account_id is None else AccountId(record.account_id),
        created_at=record.created_at,
        expires_at=record.expires_at,
        revoked_at=record.revoked_at,
    )
