from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.driver import driver_of
from adapters.postgres.faults import reaching
from application.usage.partitions import Partitions

_MISSING = """
WITH wanted AS (
    SELECT generate_series(
        date_trunc('month', now()), date_trunc('month', now()) + make_interval(months => $1), '1 month'
    ) AS month
    UNION SELECT date_trunc('month', recorded_at) FROM usage_record_default
)
SELECT month::date AS month FROM wanted
WHERE to_regclass('usage_record_' || to_char(month, 'YYYY_MM')) IS NULL
ORDER BY 1
"""
# One that is attached locks nothing but the default partition, for an instant; one that is created in place
# would lock the whole table. The check spares reading the new one, and is of no use afterwards.
_MAKE = """
CREATE TABLE {name} (
    LIKE usage_record INCLUDING ALL,
    CONSTRAINT {name}_month CHECK (recorded_at >= '{start}' AND recorded_at < '{end}')
);
LOCK TABLE usage_record_default IN SHARE ROW EXCLUSIVE MODE;
WITH moved AS (
    DELETE FROM usage_record_default WHERE recorded_at >= '{start}' AND recorded_at < '{end}' RETURNING *
)
INSERT INTO {name} SELECT * FROM moved;
ALTER TABLE usage_record ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}');
ALTER TABLE {name} DROP CONSTRAINT {name}_month
"""
_LOCK = 0x6375656271  # any number that nothing else on the database locks
_SECONDS = 600.0
"""That one may take: where records lie apart, they are moved in one step, so that nobody misses them."""
_BEGIN = f"""
SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '3s'; SELECT pg_advisory_xact_lock({_LOCK})
"""


class SqlPartitions(Partitions):
    """Needs to own the table, as whoever migrates it does."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def missing(self, ahead: int) -> Sequence[date]:
        with reaching():
            async with driver_of(self._engine) as driver:
                return [row["month"] for row in await driver.fetch(_MISSING, ahead)]

    async def make(self, month: date) -> bool:
        name = f"usage_record_{month:%Y_%m}"
        following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
        start, end = f"{month.isoformat()} 00:00+00", f"{following.isoformat()} 00:00+00"
        with reaching():
            async with driver_of(self._engine) as driver, driver.transaction():
                await driver.execute(_BEGIN)
                if await driver.fetchval("SELECT to_regclass($1)", name) is not None:
                    return False
                await driver.execute(_MAKE.format(name=name, start=start, end=end), timeout=_SECONDS)
        return True
