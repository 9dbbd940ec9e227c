from dataclasses import asdict
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.codec import decode_json, encode_json
from adapters.postgres.faults import reaching
from adapters.postgres.records import RunRecord
from application.features.ports import Runs
from domain.credits import Quantity
from domain.features.errors import RUN_FAILURES, RunFailure
from domain.features.run import Failed, Outcome, Produced
from domain.ids import AccountId, ReservationId

_run = RunRecord.__table__
_KEEP = (
    insert(RunRecord)
    .values(
        account_id=sa.bindparam("account"),
        id=sa.bindparam("run"),
        outcome=sa.bindparam("outcome"),
        finished_at=sa.func.now(),
    )
    .on_conflict_do_nothing(index_elements=("account_id", "id"))
)
_FIND = sa.select(_run.c.outcome).where(
    _run.c.account_id == sa.bindparam("account"), _run.c.id == sa.bindparam("run")
)
_FAILURES: dict[str, type[RunFailure]] = {failure.code: failure for failure in RUN_FAILURES}


class SqlRuns(Runs):
    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def keep(self, account: AccountId, id: ReservationId, outcome: Outcome) -> None:
        with reaching():
            async with self._engine.begin() as connection:
                await connection.execute(_KEEP, {"account": account, "run": id, "outcome": _written(outcome)})

    async def find(self, account: AccountId, id: ReservationId) -> Outcome | None:
        with reaching():
            async with self._engine.connect() as connection:
                document = await connection.scalar(_FIND, {"account": account, "run": id})
        return None if document is None else _read(document)


def _written(outcome: Outcome) -> dict[str, Any]:
    """The output as text: jsonb holds no NUL, and forgets the order of members."""
    if isinstance(outcome, Failed):
        return {"failed": outcome.error.code, "facts": asdict(outcome.error)}
    return {
        "output": encode_json(outcome.output),
        "model": outcome.model,
        "usage": asdict(outcome.usage),
        "latency_ms": outcome.latency_ms,
    }


def _read(document: dict[str, Any]) -> Outcome:
    if "failed" in document:
        return Failed(_FAILURES[document["failed"]](**document["facts"]))
    return Produced(
        output=decode_json(document["output"]),
        model=document["model"],
        usage=msgspec.convert(document["usage"], Quantity),
        latency_ms=document["latency_ms"],
    )
