"""Hot statements: built and compiled by SQLAlchemy, once, and run by asyncpg itself.

What SQLAlchemy does around each execution costs more than asyncpg and the statement together (ADR 0003).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from domain.errors import DatabaseUnavailable

Driver: TypeAlias = Any  # an asyncpg.Connection; asyncpg ships no types


class Statement:
    """Rows are asyncpg's records, by name of the column."""

    def __init__(self, statement: Executable) -> None:
        compiled = statement.compile(dialect=asyncpg.dialect())  # type: ignore[attr-defined, no-untyped-call]
        self.text = str(compiled)
        self._names: Sequence[str] = compiled.positiontup or ()
        self._given: Mapping[str, Any] = compiled.params

    async def fetch(self, driver: Driver, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        all_values = {**self._given, **values}
        rows: Sequence[Mapping[str, Any]] = await driver.fetch(
            self.text, *[all_values[name] for name in self._names]
        )
        return rows


@asynccontextmanager
async def driver_of(engine: AsyncEngine) -> AsyncIterator[Driver]:
    """A connection of the pool, without SQLAlchemy's transactions. A broken one goes back to no pool.

    Raises DatabaseUnavailable where it breaks meanwhile.
    """
    async with engine.connect() as connection:
        driver: Driver = (await connection.get_raw_connection()).driver_connection
        try:
            yield driver
        except BaseException as error:
            broken = driver.is_closed()
            if broken or driver.is_in_transaction():  # cut off where nothing could be rolled back any more
                await connection.invalidate()
            if broken and isinstance(error, Exception):
                raise DatabaseUnavailable from error
            raise
