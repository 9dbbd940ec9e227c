from collections.abc import AsyncIterator
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.faults import reaching


def step(text: str) -> sa.TextClause:
    """Deletes up to ``:most`` rows that ended longer than ``:keep`` ago."""
    return sa.text(text).bindparams(sa.bindparam("keep", type_=sa.Interval()))


async def in_steps(
    engine: AsyncEngine, statement: sa.TextClause, *, keep: timedelta, most: int
) -> AsyncIterator[int]:
    """A transaction each, until one finds less than it might have."""
    count = most
    while count >= most:
        with reaching():
            async with engine.begin() as connection:
                count = (await connection.execute(statement, {"keep": keep, "most": most})).rowcount
        yield count
