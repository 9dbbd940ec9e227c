"""The one engine of a process, and the sessions over it (ADR 0002)."""

from sqlalchemy import URL, make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from adapters.postgres.codec import decode_json, encode_json


def asyncpg_url(text: str) -> URL:
    """From what every other program takes too: ``postgres://``, ``postgresql://``, ``?sslmode=``."""
    url = make_url(text).set(drivername="postgresql+asyncpg")
    mode = url.query.get("sslmode")
    return url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode}) if mode else url


def make_engine(
    url: str,
    *,
    pool_size: int = 20,
    max_overflow: int = 30,
    pool_pre_ping: bool = True,
    pool_recycle: int = 3600,
    command_timeout: float = 30.0,
) -> AsyncEngine:
    """Opens nothing yet. ``pool_recycle`` and ``command_timeout`` are seconds."""
    return create_async_engine(
        asyncpg_url(url),
        pool_size=pool_size,
        max_overflow=max_overflow,
        pool_pre_ping=pool_pre_ping,
        pool_recycle=pool_recycle,
        hide_parameters=True,  # an error is logged with its statement, and inputs and outputs are parameters
        json_serializer=encode_json,
        json_deserializer=decode_json,
        connect_args={
            "command_timeout": command_timeout,
            "timeout": 10.0,
            "server_settings": {"application_name": "cuebx", "timezone": "UTC"},
        },
    )


def make_sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    return async_sessionmaker(engine, expire_on_commit=False, autoflush=False)
