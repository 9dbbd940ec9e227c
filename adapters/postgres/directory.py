"""Keys and accounts as every request asks for them, at most a second old."""

from collections.abc import Callable
from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.caching import AgeingCache
from adapters.postgres.accounts import SqlAccounts
from adapters.postgres.faults import reaching
from adapters.postgres.keys import key_from
from adapters.postgres.records import KeyRecord, MemberRecord
from application.keys.ports import AccountDirectory, Keyring
from domain.ids import AccountId
from domain.keys.key import Key
from domain.usage.account import Account
from domain.usage.errors import AccountMissing

_WITH_MAKER = sa.select(KeyRecord, MemberRecord.disabled_at.is_not(None)).outerjoin(
    MemberRecord,
    (MemberRecord.workspace_id == KeyRecord.workspace_id) & (MemberRecord.user_id == KeyRecord.created_by),
)
AGE = 0.9
"""Seconds. A change is obeyed within one, also where no notification arrives (ADR 0010)."""


class SqlKeyring(Keyring):
    def __init__(self, sessions: async_sessionmaker[AsyncSession], monotonic: Callable[[], float]) -> None:
        self._sessions = sessions
        self.cache = AgeingCache(self._load, monotonic, age=AGE)

    def known(self, digest: bytes) -> Key | None:
        return self.cache.peek(digest)

    async def find(self, digest: bytes) -> Key | None:
        return await self.cache.get(digest)

    async def _load(self, digest: bytes) -> Key | None:
        with reaching():
            async with self._sessions() as session:
                found = (KeyRecord.digest == digest) | (KeyRecord.previous_digest == digest)
                row = (await session.execute(_WITH_MAKER.where(found))).one_or_none()
        if row is None:
            return None
        record, suspended = row
        return replace(key_from(record), suspended=suspended)


class SqlAccountDirectory(AccountDirectory):
    def __init__(self, sessions: async_sessionmaker[AsyncSession], monotonic: Callable[[], float]) -> None:
        self._sessions = sessions
        self.cache = AgeingCache(self._load, monotonic, age=AGE)

    async def find(self, id: AccountId) -> Account:
        account = self.cache.peek(id) or await self.cache.get(id)
        if account is None:
            raise AccountMissing
        return account

    async def _load(self, id: AccountId) -> Account | None:
        with reaching():
            async with self._sessions() as session:
                try:
                    return await SqlAccounts(session).get(id)
                except AccountMissing:
                    return None
