"""Hot statements: built and compiled by SQLAlchemy, once, and run by asyncpg itself.

What SQLAlchemy does around each execution costs more than asyncpg and the statement together (ADR 0003).
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
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


class Connections:
    """Connections of the pool, kept from one use to the next: to borrow one anew costs a round trip."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._free: list[tuple[AsyncExitStack, Driver]] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Driver]:
        """Not kept after an error. Raises DatabaseUnavailable where it breaks meanwhile."""
        stack = AsyncExitStack()
        if self._free:
            stack, driver = self._free.pop()
        else:
            driver = await stack.enter_async_context(driver_of(self._engine))
        try:
            yield driver
        except BaseException as error:
            await stack.__aexit__(type(error), error, error.__traceback__)
            raise
        self._free.append((stack, driver))

    async def give_back(self) -> None:
        """All that are not in use."""
        while self._free:
            await self._free.pop()[0].aclose()


# Each statement inside looks up few rows by index. A plan made while a table was tiny would read all of it,
# and is kept while the table grows. The settings end with the transaction: nothing of them stays behind.
_WAYS = ("seqscan", "hashjoin", "mergejoin")
_BEGIN = "; ".join(["BEGIN", *(f"SET LOCAL enable_{way} = off" for way in _WAYS)])


@asynccontextmanager
async def look_ups(driver: Driver, *first: str) -> AsyncIterator[None]:
    """A transaction for hot statements. ``first`` is SQL that is run in the round trip that begins it."""
    try:
        await driver.execute("; ".join([_BEGIN, *first]))
        yield
    except BaseException:
        if not driver.is_closed():
            await driver.execute("ROLLBACK")
        raise
    await driver.execute("COMMIT")
