from collections.abc import Sequence

import msgspec
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from adapters.postgres.base import table
from adapters.postgres.books import FIELDS
from adapters.postgres.faults import reaching
from adapters.postgres.records import QueuedRunRecord, RunBatchRecord
from application.features.queued import BatchStanding, QueuedRuns, Wanted
from application.features.tell import RunBatches
from domain.ids import AccountId, BatchId, ReservationId
from domain.usage.queued_run import QueuedRun, RunBatch, RunMissing, RunState

_run = table(QueuedRunRecord)
_batch = table(RunBatchRecord)
_LARGE = ("input", "outcome")
_KEPT = _run.c.kept_until.is_(None) | (_run.c.kept_until > sa.func.now())


class SqlQueuedRuns(QueuedRuns):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def get(self, account: AccountId, id: ReservationId) -> QueuedRun:
        wanted = sa.select(_run).where(_run.c.account_id == account, _run.c.id == id, _KEPT)
        with reaching():
            async with self._engine.connect() as connection:
                row = (await connection.execute(wanted)).mappings().one_or_none()
        if row is None:
            raise RunMissing
        return _run_from(row)

    async def page(
        self, account: AccountId, wanted: Wanted, *, after: ReservationId | None, limit: int
    ) -> Sequence[QueuedRun]:
        conditions = [_run.c.account_id == account, _KEPT]
        if wanted.feature is not None:
            conditions.append(_run.c.feature == wanted.feature)
        if wanted.state is not None:
            conditions.append(_run.c.state == wanted.state)
        if wanted.batch is not None:
            conditions.append(_run.c.batch_id == wanted.batch)
        if wanted.start is not None:
            conditions.append(_run.c.created_at >= wanted.start)
        if wanted.end is not None:
            conditions.append(_run.c.created_at < wanted.end)
        if after is not None:
            conditions.append(_run.c.id < after)
        small = [column for column in _run.c if column.key not in _LARGE]
        page = sa.select(*small).where(*conditions).order_by(_run.c.id.desc()).limit(limit)
        with reaching():
            async with self._engine.connect() as connection:
                return [_run_from(row) for row in (await connection.execute(page)).mappings()]

    async def batch(self, account: AccountId, id: BatchId) -> BatchStanding:
        wanted = sa.select(_batch).where(_batch.c.account_id == account, _batch.c.id == id)
        counts = (
            sa.select(_run.c.state, sa.func.count(), sa.func.sum(_run.c.charged))
            .where(_run.c.account_id == account, _run.c.batch_id == id, _KEPT)
            .group_by(_run.c.state)
        )
        with reaching():
            async with self._engine.connect() as connection:
                row = (await connection.execute(wanted)).mappings().one_or_none()
                states = (await connection.execute(counts)).all()
        if row is None or not states:
            raise RunMissing
        batch = RunBatch(
            account=account,
            id=id,
            feature=row["feature"],
            total=row["total"],
            notify=row["notify"],
            created_at=row["created_at"],
        )
        return BatchStanding(
            batch,
            {RunState(state): count for state, count, _ in states},
            sum(int(each[2]) for each in states),
        )

    async def erase(self, account: AccountId, id: ReservationId) -> None:
        gone = sa.delete(_run).where(
            _run.c.account_id == account, _run.c.id == id, _run.c.finished_at.is_not(None)
        )
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(gone)


class SqlRunBatches(RunBatches):
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def end(self, account: AccountId, id: BatchId) -> bool:
        told = (
            sa.update(_batch)
            .where(_batch.c.account_id == account, _batch.c.id == id, _batch.c.notified_at.is_(None))
            .values(notified_at=sa.func.now())
            .returning(_batch.c.id)
        )
        return await self._session.scalar(told) is not None


def _run_from(row: sa.RowMapping) -> QueuedRun:
    return msgspec.convert({FIELDS.get(name, name): value for name, value in row.items()}, QueuedRun)
