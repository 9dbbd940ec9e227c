from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import IdentityRecord
from application.identity.elsewhere import LinkedIdentities
from domain.identity.elsewhere import LinkedIdentity
from domain.ids import UserId

_identity = table(IdentityRecord)


class SqlLinkedIdentities(LinkedIdentities):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, provider: str, subject: str) -> LinkedIdentity | None:
        key = sa.func.hashtextextended(f"{provider} {subject}", 0)
        await self._session.execute(sa.select(sa.func.pg_advisory_xact_lock(key)))
        found = await self._where(_identity.c.provider == provider, _identity.c.subject == subject)
        return found[0] if found else None

    async def add(self, identity: LinkedIdentity) -> None:
        values = {
            "provider": identity.provider,
            "subject": identity.subject,
            "user_id": identity.user,
            "linked_at": identity.linked_at,
        }
        await self._session.execute(insert(_identity).values(values).on_conflict_do_nothing())

    async def of(self, user: UserId) -> Sequence[LinkedIdentity]:
        return await self._where(_identity.c.user_id == user)

    async def remove(self, identity: LinkedIdentity) -> None:
        await self._session.execute(
            sa.delete(_identity).where(
                _identity.c.provider == identity.provider, _identity.c.subject == identity.subject
            )
        )

    async def _where(self, *conditions: sa.ColumnElement[bool]) -> Sequence[LinkedIdentity]:
        wanted = sa.select(_identity).where(*conditions)
        rows = await self._session.execute(wanted.order_by(_identity.c.linked_at, _identity.c.provider))
        return [
            LinkedIdentity(
                provider=row["provider"],
                subject=row["subject"],
                user=UserId(row["user_id"]),
                linked_at=row["linked_at"],
            )
            for row in rows.mappings()
        ]
