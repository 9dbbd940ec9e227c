from collections.abc import Callable, Sequence

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.postgres.base import table
from adapters.postgres.faults import reaching
from adapters.postgres.records import SigningKeyRecord
from application.identity.signing import SigningKey, SigningKeys

_key = table(SigningKeyRecord)
_ALL = sa.select(_key).order_by(_key.c.created_at, _key.c.kid)
_LOCK = sa.text("LOCK TABLE signing_key IN SHARE ROW EXCLUSIVE MODE")


class SqlSigningKeys(SigningKeys):
    def __init__(self, sessions: async_sessionmaker[AsyncSession]) -> None:
        self._sessions = sessions

    async def all(self) -> Sequence[SigningKey]:
        with reaching():
            async with self._sessions() as session:
                return await _read(session)

    async def begin(self, make: Callable[[], SigningKey]) -> Sequence[SigningKey]:
        with reaching():
            async with self._sessions.begin() as session:
                await session.execute(_LOCK)
                there = await _read(session)
                if there:
                    return there
                made = make()
                await session.execute(sa.insert(_key).values(_values(made)))
                return [made]

    async def rotate(self, new: SigningKey, ended: Sequence[SigningKey]) -> None:
        with reaching():
            async with self._sessions.begin() as session:
                await session.execute(_LOCK)
                await session.execute(sa.insert(_key).values(_values(new)))
                for each in ended:
                    await session.execute(
                        sa.update(_key)
                        .where(_key.c.kid == each.kid)
                        .values(verifies_until=each.verifies_until)
                    )


async def _read(session: AsyncSession) -> Sequence[SigningKey]:
    return [SigningKey(**row) for row in (await session.execute(_ALL)).mappings()]


def _values(key: SigningKey) -> dict[str, object]:
    return {name: getattr(key, name) for name in SigningKey.__slots__}
