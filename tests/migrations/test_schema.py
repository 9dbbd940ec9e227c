import asyncio
import socket
from datetime import date
from itertools import pairwise

import pytest
import sqlalchemy as sa

from adapters.postgres.engine import make_engine
from migrations import schema
from tests.conftest import run_sql


async def column(url: str, query: str) -> list[object]:
    engine = make_engine(url)
    async with engine.connect() as connection:
        found = list(await connection.scalars(sa.text(query)))
    await engine.dispose()
    return found


async def tables(url: str) -> set[object]:
    return set(await column(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))


async def test_migrations_make_exactly_what_the_records_say(empty: str) -> None:
    await schema.upgrade(empty)
    assert await schema.drift(empty) == schema.Drift()
    assert await schema.missing(empty) == ()


async def test_every_migration_goes_up_down_and_up_again(empty: str) -> None:
    revisions = await schema.missing(empty)
    await schema.upgrade(empty)
    complete = await tables(empty)
    for gone in range(1, len(revisions) + 1):
        await schema.downgrade(empty, "-1")
        assert len(await schema.missing(empty)) == gone
    assert await tables(empty) == {"alembic_version"}
    await schema.upgrade(empty)
    assert await schema.drift(empty) == schema.Drift()
    assert await tables(empty) == complete


async def test_processes_that_migrate_at_once_take_turns(empty: str) -> None:
    await asyncio.gather(*(schema.upgrade(empty) for _ in range(4)))
    assert await schema.drift(empty) == schema.Drift()


async def test_an_empty_database_misses_every_revision(empty: str) -> None:
    missing = await schema.missing(empty)
    assert missing[0] == "0001 (The first tables.)"
    assert await schema.drift(empty) == schema.Drift(revisions=missing)


async def test_what_was_changed_by_hand_is_named(database: str) -> None:
    await run_sql(
        database, "ALTER TABLE run ADD COLUMN odd int", "DROP INDEX ix_lot_usable", "CREATE TABLE extra ()"
    )
    found = await schema.drift(database)
    assert not found.revisions
    assert len(found.statements) == 3
    named = " ".join(found.statements)
    for what in ("op.drop_column('run', 'odd')", "op.create_index('ix_lot_usable'", "op.drop_table('extra')"):
        assert what in named
    assert "#" not in named


async def test_a_database_of_a_newer_version_is_left_alone(database: str) -> None:
    await run_sql(database, "UPDATE alembic_version SET version_num = 'from_the_future'")
    for use in (schema.upgrade, schema.missing, schema.drift):
        with pytest.raises(schema.SchemaNewer, match="from_the_future, which only a newer version"):
            await use(database)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://127.0.0.1:1/nothing", "Errno 111"),
        ("postgresql://@/nothing?host=/nonexistent", "No such file"),
        ("rubbish", "Could not parse"),
    ],
)
async def test_a_database_that_is_away_is_told_in_one_line(url: str, reason: str) -> None:
    with pytest.raises(schema.SchemaUnreachable, match=reason) as refused:
        await schema.missing(url)
    assert "\n" not in str(refused.value)


async def test_a_database_that_does_not_answer_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schema, "CONNECT_SECONDS", 0.1)
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        pytest.raises(schema.SchemaUnreachable, match=r"did not answer within 0\.1 s"),
    ):
        await schema.missing(f"postgresql://127.0.0.1:{silent.getsockname()[1]}/nothing")


async def test_usage_records_lie_in_the_partition_of_their_month(shared_database: str) -> None:
    bounds = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r'"
    found = {str(each) for each in await column(shared_database, bounds)}
    months = [date(2026 + (10 + month) // 12, (10 + month) % 12 + 1, 1) for month in range(25)]
    expected = {
        f"FOR VALUES FROM ('{start} 00:00:00+00') TO ('{end} 00:00:00+00')" for start, end in pairwise(months)
    }
    assert found == expected | {"DEFAULT"}
