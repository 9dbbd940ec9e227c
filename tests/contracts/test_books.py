"""How PostgreSQL goes about the hot statements, whatever it knows of the tables."""

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.postgres.books import find_accounts, read_books
from domain.ids import AccountId, ReservationId


@dataclass(frozen=True)
class Look:
    account: AccountId
    reservation: ReservationId
    request: str = "request"
    reference: str = "reference"


async def plan_of_the_books(connection: AsyncConnection, look: Look) -> str:
    said: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        said.append((statement, parameters))

    sa.event.listen(connection.sync_connection, "before_cursor_execute", listen)
    await read_books(connection, [look.account], [look])
    sa.event.remove(connection.sync_connection, "before_cursor_execute", listen)
    [(statement, parameters)] = said
    await connection.execute(sa.text("SET LOCAL plan_cache_mode = force_generic_plan"))
    rows = await connection.exec_driver_sql("EXPLAIN " + statement, parameters)
    return "\n".join(row[0] for row in rows)


async def test_the_books_are_read_row_by_row_through_an_index(engine: AsyncEngine) -> None:
    look = Look(AccountId(uuid4()), ReservationId(uuid4()))
    async with engine.begin() as connection:
        await find_accounts(connection, [look.account], lock=True)
        plan = await plan_of_the_books(connection, look)
    assert "Nested Loop" in plan
    assert not [way for way in ("Seq Scan", "Hash Join", "Merge Join") if way in plan]


async def test_what_was_set_for_that_ends_with_the_transaction(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        async with connection.begin():
            await find_accounts(connection, [AccountId(uuid4())], lock=True)
        assert await connection.scalar(sa.text("SHOW enable_hashjoin")) == "on"
