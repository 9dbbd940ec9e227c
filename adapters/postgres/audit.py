"""The books recounted: what is held from the open reservations, what is spent from the charges.

What limits count as spent is recounted from reservations, and from what those that were purged have left.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.driver import driver_of
from adapters.postgres.faults import reaching
from application.usage.ports import Auditor, AuditTooSlow, Finding
from domain.ids import AccountId, LotId, ReservationId

_FINDINGS = """
WITH held AS (
    SELECT r.account_id, (part->>0)::uuid AS lot_id, sum((part->>1)::bigint) AS amount
    FROM reservation r, jsonb_array_elements(r.holds) part
    WHERE r.state IN ('held', 'started')
    GROUP BY 1, 2
), moved AS (
    SELECT u.account_id, (part->>0)::uuid AS lot_id, (part->>1)::bigint AS amount
    FROM usage_record u, jsonb_array_elements(u.charges) part
    UNION ALL SELECT account_id, lot_id, amount FROM repayment
    UNION ALL SELECT account_id, overdraft_id, -amount FROM repayment
), spent AS (
    SELECT account_id, lot_id, sum(amount) AS amount FROM moved GROUP BY 1, 2
), recounted AS (
    SELECT account_id, lot_id, coalesce(h.amount, 0) AS held, coalesce(s.amount, 0) AS spent
    FROM held h FULL JOIN spent s USING (account_id, lot_id)
), counting AS (
    SELECT r.account_id, (entry->>0)::uuid AS limit_id, (entry->>1)::timestamptz AS since,
           r.state IN ('held', 'started') AS open, (entry->>2)::bigint AS amount
    FROM reservation r, jsonb_array_elements(r.counted) entry
    UNION ALL SELECT account_id, limit_id, since, false, spent FROM limit_carry
), counted AS (
    SELECT account_id, limit_id, since, coalesce(sum(amount) FILTER (WHERE open), 0) AS held,
           coalesce(sum(amount) FILTER (WHERE NOT open), 0) AS spent
    FROM counting
    GROUP BY 1, 2, 3
), rollups AS (
    SELECT account_id, sum(charged) AS charged FROM usage_hour GROUP BY 1
), charges AS (
    SELECT account_id, sum(charged) AS charged FROM usage_record GROUP BY 1
)
SELECT coalesce(lot.account_id, r.account_id) AS account_id, coalesce(lot.id, r.lot_id) AS lot_id,
       NULL::uuid AS reservation_id, fault.name, fault.expected, fault.found
FROM lot
FULL JOIN recounted r ON r.account_id = lot.account_id AND r.lot_id = lot.id
CROSS JOIN LATERAL (VALUES
    ('held is not what open reservations hold', coalesce(r.held, 0), coalesce(lot.held, 0)::numeric),
    ('spent is not what was charged and repaid', coalesce(r.spent, 0), coalesce(lot.spent, 0)::numeric),
    ('more is held and spent than was granted', lot.granted::numeric,
     greatest(lot.granted, lot.held + lot.spent)::numeric),
    ('held is negative', 0, least(lot.held, 0)::numeric),
    ('spent is negative', 0, least(lot.spent, 0)::numeric)
) AS fault (name, expected, found)
WHERE fault.expected <> fault.found
UNION ALL
SELECT u.account_id, NULL, u.id, 'charged is not what its lots paid', u.charged, paid.amount
FROM usage_record u CROSS JOIN LATERAL (
    SELECT coalesce(sum((part->>1)::bigint), 0) AS amount FROM jsonb_array_elements(u.charges) part
) paid
WHERE u.charged <> paid.amount
UNION ALL
SELECT u.account_id, NULL, u.id, 'charged and uncollected are not the cost', u.cost, u.charged + u.uncollected
FROM usage_record u WHERE NOT u.test AND u.cost <> u.charged + u.uncollected
UNION ALL
SELECT account_id, NULL, id, 'it was charged more than once', 1, count(*)
FROM usage_record GROUP BY account_id, id HAVING count(*) > 1
UNION ALL
SELECT l.account_id, l.id, NULL, fault.name, fault.expected, fault.found
FROM spend_limit l
LEFT JOIN counted c ON c.account_id = l.account_id AND c.limit_id = l.id AND c.since = l.since
CROSS JOIN LATERAL (VALUES
    ('held under a limit is not what open reservations count', coalesce(c.held, 0), l.held::numeric),
    ('spent under a limit is not what was charged', coalesce(c.spent, 0), l.spent::numeric)
) AS fault (name, expected, found)
WHERE fault.expected <> fault.found
UNION ALL
SELECT account_id, NULL, NULL, 'the hourly sums are not the charges',
       coalesce(c.charged, 0), coalesce(h.charged, 0)
FROM rollups h FULL JOIN charges c USING (account_id)
WHERE coalesce(c.charged, 0) <> coalesce(h.charged, 0)
ORDER BY 1, 2, 3
"""
# What bounds other statements, in the server or for the role, is not meant for this one.
_UNBOUNDED = "SET LOCAL statement_timeout = 0"


class SqlAuditor(Auditor):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def audit(self, *, seconds: float) -> Sequence[Finding]:
        with reaching():
            async with driver_of(self._engine) as driver, driver.transaction(readonly=True):
                await driver.execute(_UNBOUNDED)
                try:
                    rows = await driver.fetch(_FINDINGS, timeout=seconds)
                except TimeoutError as error:
                    raise AuditTooSlow(seconds) from error
        return [
            Finding(
                account=AccountId(row["account_id"]),
                lot=None if row["lot_id"] is None else LotId(row["lot_id"]),
                reservation=None if row["reservation_id"] is None else ReservationId(row["reservation_id"]),
                fault=row["name"],
                expected=int(row["expected"]),
                found=int(row["found"]),
            )
            for row in rows
        ]
