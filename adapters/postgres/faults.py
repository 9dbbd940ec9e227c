"""Which database errors mean that it is away, and not that we asked for something wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from domain.errors import DatabaseUnavailable, SchemaBehind

# https://www.postgresql.org/docs/current/errcodes-appendix.html
_AWAY = ("08", "57", "53", "25006")  # connection, operator intervention, resources, a read-only standby
_CONTENTION = ("40001", "40P01", "55P03")  # serialization, deadlock, lock not to be had
_SCHEMA = ("42P01", "42703")  # no such table, no such column


def unreachable(error: BaseException) -> bool:
    if isinstance(error, (OSError, PoolTimeout, InterfaceError)):
        return True
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or _state(error.orig).startswith(_AWAY + _CONTENTION)
    return _state(error).startswith(_AWAY + _CONTENTION)


def _state(error: BaseException | None) -> str:
    return str(getattr(error, "sqlstate", None) or "")


@contextmanager
def reaching() -> Iterator[None]:
    """What fails inside because the database is away, or not migrated, fails as the error that says so."""
    try:
        yield
    except Exception as error:
        if unreachable(error):
            raise DatabaseUnavailable from error
        if _state(error.orig if isinstance(error, DBAPIError) else error) in _SCHEMA:
            raise SchemaBehind from error
        raise
