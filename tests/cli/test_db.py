import asyncio

import pytest

from migrations import schema
from tests.cli.processes import command
from tests.conftest import run_sql


def test_a_database_that_is_up_to_date_is_left_as_it_is(own_database: str) -> None:
    assert own_database
    for name in ("check", "upgrade"):
        result = command("db", name)
        assert (result.exit_code, result.output) == (0, "the database is up to date\n")


def test_a_database_that_is_behind_is_told_and_brought_up(own_database: str) -> None:
    asyncio.run(schema.downgrade(own_database))
    behind = command("db", "check")
    assert behind.exit_code == 1
    first, *others, last = behind.stderr.splitlines()
    assert first == "missing: 0001 (The first tables.)"
    assert all(each.startswith("missing: 00") for each in others)
    assert last == "Error: the database is behind: run `cuebx db upgrade`"
    done = [each.replace("missing:", "done:") for each in (first, *others)]
    assert command("db", "upgrade").output.splitlines() == [*done, "the database is up to date"]
    assert command("db", "check").exit_code == 0


def test_a_database_changed_by_hand_is_told(own_database: str) -> None:
    asyncio.run(run_sql(own_database, "DROP INDEX ix_lot_usable"))
    result = command("db", "check")
    assert result.exit_code == 1
    assert result.stderr.startswith("different: op.create_index('ix_lot_usable'")
    assert "somebody changed the database by hand" in result.stderr


def test_a_database_that_is_away_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUEBX_DATABASE_URL", "postgresql://127.0.0.1:1/nothing")
    for words in (("db", "check"), ("db", "upgrade"), ("audit",)):
        result = command(*words)
        assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
        assert "the database cannot be reached" in result.stderr


def test_no_command_works_on_a_database_that_is_behind(own_database: str) -> None:
    asyncio.run(schema.downgrade(own_database))
    result = command("audit")
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the database is behind this version: run `cuebx db upgrade` [schema_behind]\n"
    )
