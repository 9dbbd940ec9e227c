"""Which errors say that the database is away."""

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from adapters.postgres.faults import reaching, unreachable
from domain.errors import DatabaseUnavailable, SchemaBehind
from domain.usage.errors import AccountMissing


class FromServer(Exception):
    """As asyncpg raises them."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__("said the server")
        self.sqlstate = sqlstate


def wrapped(sqlstate: str | None, *, cut: bool = False) -> DBAPIError:
    """As SQLAlchemy raises them."""
    return DBAPIError("SELECT 1", {}, FromServer(sqlstate), connection_invalidated=cut)


AWAY = {
    "08006": "connection_failure",
    "08003": "connection_does_not_exist",
    "57014": "query_canceled",
    "57P01": "admin_shutdown",
    "57P02": "crash_shutdown",
    "57P03": "cannot_connect_now",
    "53300": "too_many_connections",
    "53100": "disk_full",
    "25006": "read_only_sql_transaction",
    "40001": "serialization_failure",
    "40P01": "deadlock_detected",
    "55P03": "lock_not_available",
}
OURS = {
    "23505": "unique_violation",
    "22021": "character_not_in_repertoire",
    "42601": "syntax_error",
    "28P01": "invalid_password",
    None: "nothing",
}


@pytest.mark.parametrize("sqlstate", AWAY)
def test_some_states_of_the_server_pass(sqlstate: str) -> None:
    assert unreachable(FromServer(sqlstate))
    assert unreachable(wrapped(sqlstate))


@pytest.mark.parametrize("sqlstate", OURS)
def test_what_was_asked_wrongly_stays_wrong(sqlstate: str | None) -> None:
    assert not unreachable(FromServer(sqlstate))
    assert not unreachable(wrapped(sqlstate))


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError(),
        ConnectionResetError(),
        TimeoutError(),
        FileNotFoundError(),
        PoolTimeout(),
        InterfaceError("SELECT 1", {}, FromServer(None)),
        wrapped(None, cut=True),
    ],
    ids=lambda error: f"{type(error).__module__}.{type(error).__name__}",
)
def test_a_network_that_fails_passes(error: Exception) -> None:
    assert unreachable(error)
    with pytest.raises(DatabaseUnavailable) as raised, reaching():
        raise error
    assert raised.value.__cause__ is error
    assert raised.value.retry_after == 1


@pytest.mark.parametrize("sqlstate", ["42P01", "42703"])
def test_a_table_that_lacks_is_a_schema_that_is_behind(sqlstate: str) -> None:
    for error in (FromServer(sqlstate), wrapped(sqlstate)):
        with pytest.raises(SchemaBehind) as raised, reaching():
            raise error
        assert str(raised.value) == "the database lacks a table of this version: run cuebx db upgrade"


@pytest.mark.parametrize(
    "error",
    [AccountMissing(), ZeroDivisionError(), IntegrityError("INSERT", {}, FromServer("23505"))],
    ids=lambda error: type(error).__name__,
)
def test_anything_else_goes_on_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, reaching():
        raise error
    assert raised.value is error


def test_nothing_is_made_of_what_goes_well() -> None:
    with reaching():
        pass
