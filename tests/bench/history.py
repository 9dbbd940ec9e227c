"""A year of use, made by SQL: usage records, their sums by the hour, and the spent lots that paid for them.

The books stay in balance, so that ``cuebx audit`` holds afterwards, and has all of it to go through.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.postgres.engine import make_engine

ACCOUNTS = 1000
STEP = 50  # accounts in one statement
PATIENCE = 600.0  # seconds for one statement
CROWDED = 40  # records of an account in an hour that has any
SPAN = timedelta(days=364)
NEVER = datetime.max.replace(tzinfo=UTC)

_OWNERS = """
WITH owner AS (
    INSERT INTO workspace (id, name, kind, created_at)
    SELECT uuidv7(), 'history', 'team', now() FROM generate_series(2, $2::int) RETURNING id
)
INSERT INTO account (id, workspace_id, product, plan, plan_version, anchor, created_at)
SELECT uuidv7(), owner.id, hot.product, hot.plan, hot.plan_version, hot.anchor, now()
FROM owner, account AS hot WHERE hot.id = $1
"""
_ACCOUNTS = """
SELECT account.id FROM account JOIN workspace ON workspace.id = workspace_id
WHERE workspace.name = 'history' OR account.id = $1 ORDER BY account.id
"""
# All of them are like one that was made by the service.
_PATTERN = """
SELECT key_id, feature, rate::text, input_tokens, output_tokens, units, model, latency_ms, cost
FROM usage_record WHERE account_id = $1 AND charged = cost AND cost > 0 LIMIT 1
"""
_FILL = """
WITH paid AS (
    INSERT INTO lot (account_id, id, source, granted, held, spent, priority,
                     starts_at, expires_at, created_at, reference)
    SELECT each, uuidv7(), 'top_up', $2::bigint * $3::bigint, 0, $2::bigint * $3::bigint, 40,
           $4, $7, $4, 'history ' || $2::bigint || ' ' || $5::bigint
    FROM unnest($1::uuid[]) AS each
    RETURNING account_id, id
), record AS (
    INSERT INTO usage_record (account_id, recorded_at, id, key_id, feature, rate, test, input_tokens,
                              output_tokens, units, model, latency_ms, cost, charged, uncollected, charges)
    SELECT paid.account_id,
           $4::timestamptz + (n / $6::bigint) * ($8::interval / ($2::bigint / $6::bigint + 1))
               + (n % $6::bigint) * interval '1 second',
           uuidv7(), $9::uuid, $10, $11::text::jsonb, false, $12, $13, $14, $15, $16, $3, $3, 0,
           jsonb_build_array(jsonb_build_array(paid.id, $3::bigint))
    FROM paid, generate_series($5::bigint, $5::bigint + $2::bigint - 1) AS n
    RETURNING account_id, recorded_at, feature, key_id, input_tokens, output_tokens, units, charged
)
INSERT INTO usage_hour (account_id, hour, feature, key_id, test, calls, input_tokens, output_tokens, units,
                        charged, uncollected)
SELECT account_id, date_trunc('hour', recorded_at), feature,
       coalesce(key_id, '00000000-0000-0000-0000-000000000000'), false,
       count(*), sum(input_tokens), sum(output_tokens), sum(units), sum(charged), 0
FROM record GROUP BY 1, 2, 3, 4
ON CONFLICT (account_id, hour, feature, key_id, test) DO UPDATE SET
    calls = usage_hour.calls + excluded.calls,
    input_tokens = usage_hour.input_tokens + excluded.input_tokens,
    output_tokens = usage_hour.output_tokens + excluded.output_tokens,
    units = usage_hour.units + excluded.units,
    charged = usage_hour.charged + excluded.charged
"""


async def fill(url: str, account: UUID, *, have: int, want: int) -> None:
    """Adds records until there are ``want`` where there are ``have``, a thousandth of them of ``account``.

    ``account`` needs one record that the service made, as the pattern for all.
    """
    engine = make_engine(url, command_timeout=PATIENCE).execution_options(isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("SET synchronous_commit = off")
            start = datetime.now(UTC) - SPAN
            await _open_months(connection, start)
            made = (await connection.exec_driver_sql(_PATTERN, (account,))).one()
            owners = await _owners(connection, account)
            first, count = have // ACCOUNTS, (want - have) // ACCOUNTS
            for at in range(0, len(owners), STEP):
                some = owners[at : at + STEP]
                values = (some, count, made.cost, start, first, CROWDED, NEVER, SPAN, *made[:-1])
                await connection.exec_driver_sql(_FILL, values)
            # What an idle night does, so that it is not measured.
            await connection.exec_driver_sql("VACUUM ANALYZE")
            await connection.exec_driver_sql("CHECKPOINT")
    finally:
        await engine.dispose()


async def _owners(connection: AsyncConnection, account: UUID) -> list[UUID]:
    owners = (await connection.exec_driver_sql(_ACCOUNTS, (account,))).scalars().all()
    if len(owners) < ACCOUNTS:
        await connection.exec_driver_sql(_OWNERS, (account, ACCOUNTS))
        owners = (await connection.exec_driver_sql(_ACCOUNTS, (account,))).scalars().all()
    return list(owners)


async def _open_months(connection: AsyncConnection, start: datetime) -> None:
    """Partitions for the months before this one, as they would be had the service run then."""
    month = start.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    this = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month < this:
        end = (month + timedelta(days=32)).replace(day=1)
        await connection.exec_driver_sql(
            f"CREATE TABLE IF NOT EXISTS usage_record_{month:%Y_%m} PARTITION OF usage_record"
            f" FOR VALUES FROM ('{month:%Y-%m-%d} 00:00+00') TO ('{end:%Y-%m-%d} 00:00+00')"
        )
        month = end
