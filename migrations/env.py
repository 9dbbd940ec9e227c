"""What Alembic runs: on the connection that ``schema`` hands over, or, from the command line, on its own."""

import asyncio
import os

from alembic import context
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from adapters.postgres.engine import asyncpg_url
from migrations.schema import comparison


def migrate(connection: Connection) -> None:
    context.configure(connection=connection, **comparison(connection))
    with context.begin_transaction():
        context.run_migrations()


async def connect() -> None:
    engine = create_async_engine(asyncpg_url(os.environ["CUEBX_DATABASE_URL"]), poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.run_sync(migrate)
    await engine.dispose()


given: Connection | None = context.config.attributes.get("connection")
if given is None:
    asyncio.run(connect())
else:
    migrate(given)
