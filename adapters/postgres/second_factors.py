from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession

from adapters.postgres.base import table
from adapters.postgres.records import RecoveryCodeRecord, UserRecord
from application.identity.second_factor import SecondFactors
from domain.identity.second_factor import SecondFactor
from domain.ids import UserId

_user = table(UserRecord)
_code = table(RecoveryCodeRecord)


class SqlSecondFactors(SecondFactors):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, user: UserId, *, lock: bool = True) -> SecondFactor | None:
        wanted = sa.select(_user.c.totp_secret, _user.c.totp_enabled_at, _user.c.totp_last_step).where(
            _user.c.id == user, _user.c.totp_secret.is_not(None)
        )
        row = (
            await self._session.execute(wanted.with_for_update(key_share=True) if lock else wanted)
        ).one_or_none()
        if row is None:
            return None
        sealed, enabled_at, last_step = row
        return SecondFactor(user=user, sealed=sealed, enabled_at=enabled_at, last_step=last_step)

    async def save(self, factor: SecondFactor) -> None:
        await self._write(
            factor.user,
            totp_secret=factor.sealed,
            totp_enabled_at=factor.enabled_at,
            totp_last_step=factor.last_step,
        )

    async def remove(self, user: UserId) -> None:
        await self.put_codes(user, ())
        await self._write(user, totp_secret=None, totp_enabled_at=None, totp_last_step=None)

    async def put_codes(self, user: UserId, digests: Sequence[bytes]) -> None:
        await self._session.execute(sa.delete(_code).where(_code.c.user_id == user))
        for digest in digests:
            await self._session.execute(sa.insert(_code).values(user_id=user, digest=digest))

    async def use_code(self, user: UserId, digest: bytes, at: datetime) -> bool:
        used = (
            sa.update(_code)
            .where(_code.c.user_id == user, _code.c.digest == digest, _code.c.used_at.is_(None))
            .values(used_at=at)
            .returning(_code.c.user_id)
        )
        return await self._session.scalar(used) is not None

    async def codes_left(self, user: UserId) -> int:
        wanted = sa.select(sa.func.count()).where(_code.c.user_id == user, _code.c.used_at.is_(None))
        return (await self._session.execute(wanted)).scalar_one()

    async def _write(self, user: UserId, **values: object) -> None:
        await self._session.execute(sa.update(_user).where(_user.c.id == user).values(values))
