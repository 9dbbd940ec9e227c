from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.listener import KEYS_CHANGED
from adapters.postgres.records import KeyRecord
from application.keys.ports import Keys
from domain.ids import AccountId, KeyId, UserId, WorkspaceId
from domain.keys.errors import KeyMissing
from domain.keys.key import Key, KeyKind, Previous
from domain.keys.policy import Policy


class SqlKeys(Keys):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: Key) -> None:
        await self._session.execute(sa.insert(KeyRecord).values(id=key.id, **_values(key)))

    async def get(self, id: KeyId) -> Key:
        record = await self._session.get(KeyRecord, id, with_for_update={"key_share": True})
        if record is None:
            raise KeyMissing
        return key_from(record)

    async def save(self, key: Key) -> None:
        before = await self._session.get_one(KeyRecord, key.id)
        told = {*key.digests, *key_from(before).digests}
        await self._session.execute(sa.update(KeyRecord).where(KeyRecord.id == key.id).values(**_values(key)))
        await self._session.execute(
            sa.select(sa.func.pg_notify(KEYS_CHANGED, sa.bindparam("digest"))),
            [{"digest": digest.hex()} for digest in told],
        )

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
        previous=_previous(record),
        created_by=None if record.created_by is None else UserId(record.created_by),
        last_used_at=record.last_used_at,
        policy=_policy(record),
    )


def _previous(record: KeyRecord) -> Previous | None:
    if record.previous_digest is None or record.previous_until is None:
        return None
    return Previous(record.previous_digest, record.previous_until)


def _policy(record: KeyRecord) -> Policy:
    return Policy(
        features=None if record.features is None else tuple(record.features),
        networks=None if record.networks is None else tuple(record.networks),
        per_minute=record.per_minute,
        per_day=record.per_day,
    )


def _values(key: Key) -> dict[str, object]:
    """All but when it was last used, which is written by itself."""
    previous, policy = key.previous, key.policy
    return {
        "kind": key.kind,
        "digest": key.digest,
        "previous_digest": None if previous is None else previous.digest,
        "previous_until": None if previous is None else previous.until,
        "name": key.name,
        "last_four": key.last_four,
        "workspace_id": key.workspace,
        "account_id": key.account,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "created_by": key.created_by,
        "features": None if policy.features is None else list(policy.features),
        "networks": None if policy.networks is None else list(policy.networks),
        "per_minute": policy.per_minute,
        "per_day": policy.per_day,
    }
