"""Reservations that were settled, and what they leave behind: their share of what limits count as spent."""

from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.faults import reaching
from adapters.postgres.purges.steps import step
from adapters.postgres.records.ledger import OPEN

_ACCOUNTS = 100
_FIRST = UUID(int=0)
# There is no index by when they were settled, which every call would pay for. But their ids are made in the
# order of time (UUIDv7), so that of each account the old ones are found by the primary key, and only they are
# read. An id tells by the clock of whoever made it: it narrows the search, and `settlement` decides.
_STEP = step(f"""
    WITH page AS (
        SELECT id FROM account WHERE id > :after ORDER BY id LIMIT :accounts
    ), old AS (
        SELECT r.account_id, r.id FROM page CROSS JOIN LATERAL (
            SELECT account_id, id FROM reservation
            WHERE account_id = page.id AND NOT ({OPEN})
            AND id < rpad(
                lpad(to_hex(trunc(extract(epoch FROM now() - :keep) * 1000)::bigint), 12, '0'), 32, '0'
            )::uuid
            AND (settlement ->> 'at')::timestamptz < now() - :keep
            LIMIT :most FOR UPDATE SKIP LOCKED
        ) r
        LIMIT :most
    ), gone AS (
        DELETE FROM reservation r USING old WHERE r.account_id = old.account_id AND r.id = old.id
        RETURNING r.account_id, r.counted
    ), carried AS (
        INSERT INTO limit_carry AS kept (account_id, limit_id, since, spent)
        SELECT l.account_id, l.id, l.since, sum((entry ->> 2)::bigint)
        FROM gone CROSS JOIN jsonb_array_elements(gone.counted) entry
        JOIN spend_limit l ON l.account_id = gone.account_id AND l.id = (entry ->> 0)::uuid
            AND l.since = (entry ->> 1)::timestamptz
        GROUP BY 1, 2, 3 HAVING sum((entry ->> 2)::bigint) > 0
        ORDER BY 1, 2, 3 -- so that no two that purge wait for each other
        ON CONFLICT (account_id, limit_id, since) DO UPDATE SET spent = kept.spent + excluded.spent
    )
    SELECT (SELECT count(*) FROM gone), (SELECT id FROM page ORDER BY id DESC LIMIT 1)
""")  # noqa: S608 - a constant
_FORGET = sa.text("""
    DELETE FROM limit_carry c WHERE NOT EXISTS (
        SELECT FROM spend_limit l
        WHERE l.account_id = c.account_id AND l.id = c.limit_id AND l.since = c.since
    )
""")
"""Of limits that are gone, and of periods that are over."""


async def purge_reservations(engine: AsyncEngine, *, keep: timedelta, most: int) -> AsyncIterator[int]:
    after: UUID | None = _FIRST
    while after is not None:
        values = {"keep": keep, "most": most, "after": after, "accounts": _ACCOUNTS}
        with reaching():
            async with engine.begin() as connection:
                count, last = (await connection.execute(_STEP, values)).one()
        yield count
        if count < most:  # or else these accounts have more
            after = last
    with reaching():
        async with engine.begin() as connection:
            await connection.execute(_FORGET)
