from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from application.health import Dependency, DependencyAway


class SqlHealth(Dependency):
    """The database, by a connection of the pool that the requests use."""

    name = "database"
    vital = True

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def check(self) -> str:
        try:
            async with self._engine.connect() as connection:
                version = await connection.scalar(text("SHOW server_version"))
        except Exception as error:
            cause = getattr(error, "orig", None) or error
            raise DependencyAway(f"cannot be asked: {type(cause).__name__}") from error
        return f"PostgreSQL {version}"
