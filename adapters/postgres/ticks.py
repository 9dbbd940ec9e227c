from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime, timedelta

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.base import table
from adapters.postgres.faults import reaching
from adapters.postgres.records import JobTickRecord
from application.jobs.ports import Ticks
from domain.jobs.tick import Tick, Timing

_tick = table(JobTickRecord)
_NOW = sa.func.clock_timestamp()


class SqlTicks(Ticks):
    """``by`` is what this process is called. What it claimed is known by that and by when it did."""

    def __init__(self, engine: AsyncEngine, *, by: str) -> None:
        self._engine = engine
        self._by = by

    async def claim(self, job: str, timing: Timing, *, lease: timedelta, early: bool = False) -> Tick | None:
        with reaching():
            async with self._engine.begin() as connection:
                wanted = sa.select(_tick).where(_tick.c.job == job)
                now = (await connection.execute(sa.select(_NOW))).scalar_one()
                row = (await connection.execute(wanted)).mappings().one_or_none()
                if row is not None and not early and not _from(row).free(timing.last(now), now):
                    return None
                await connection.execute(insert(_tick).values(job=job).on_conflict_do_nothing())
                tick = _from((await connection.execute(wanted.with_for_update())).mappings().one())
                now = (await connection.execute(sa.select(_NOW))).scalar_one()  # the lock may have taken long
                due = timing.last(now)
                if tick.running(now) if early else not tick.free(due, now):
                    return None
                tick = tick.claim(due, now, by=self._by, lease=lease)
                await connection.execute(sa.update(_tick).where(_tick.c.job == job).values(asdict(tick)))
        return tick

    async def extend(self, tick: Tick, *, lease: timedelta) -> bool:
        return await self._change(tick, claimed_until=_NOW + lease)

    async def finish(self, tick: Tick, outcome: str) -> bool:
        failures = tick.failures_after(outcome)
        return await self._change(
            tick, claimed_until=None, finished_at=_NOW, outcome=outcome, failures=failures
        )

    async def give_back(self, tick: Tick) -> None:
        await self._change(tick, claimed_until=_NOW)

    async def all(self) -> tuple[datetime, Sequence[Tick]]:
        with reaching():
            async with self._engine.connect() as connection:
                now = (await connection.execute(sa.select(_NOW))).scalar_one()
                rows = (await connection.execute(sa.select(_tick).order_by(_tick.c.job))).mappings()
                return now, [_from(row) for row in rows]

    async def _change(self, tick: Tick, **values: object) -> bool:
        """Where it is still ours: nobody else has claimed it since, and its end was not noted."""
        ours = sa.update(_tick).where(
            _tick.c.job == tick.job,
            _tick.c.claimed_by == self._by,
            _tick.c.claimed_at == tick.claimed_at,
            _tick.c.claimed_until.is_not(None),
        )
        with reaching():
            async with self._engine.begin() as connection:
                changed = await connection.execute(ours.values(values).returning(_tick.c.job))
                return changed.first() is not None


def _from(row: sa.RowMapping) -> Tick:
    return msgspec.convert(dict(row), Tick)
