"""Runs that a worker runs later: queued, looked at, cancelled; one by one or by the thousand."""

import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Any

from dishka import FromDishka
from litestar.di import NamedDependency
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta, Struct

from application.actor import Customer
from application.features.queued import (
    MOST_INPUTS,
    BatchStanding,
    EndQueuedRun,
    LookAtRuns,
    Queued,
    QueueRuns,
    Wanted,
)
from domain.catalog.errors import FeatureMissing
from domain.credits import format_credits
from domain.features.errors import InvalidInput, ModelNotConfigured, PromptUnrenderable
from domain.features.run import run_text
from domain.ids import MalformedId, batch_text, parse_batch, parse_run
from domain.usage.queued_run import QueuedRun, RunEnded, RunMissing, RunNotEnded, RunState
from entrypoints.http.fields import Credits, FeaturePath, id_path
from entrypoints.http.idempotency import REPLAYED, OptionalIdempotencyKey
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.members import Cursor
from entrypoints.http.problems import invalid
from entrypoints.http.ratelimit import limit_headers
from entrypoints.http.refusals import LIMIT_HEADERS, OF_SPENDING, REPLAYED_HEADER
from entrypoints.http.routes import deleting, reading
from entrypoints.http.usage import From, To, instant
from entrypoints.logging import note

RunPath = Annotated[str, id_path("run", ids=2)]
BatchPath = Annotated[str, id_path("bat", ids=2)]
OfFeature = Annotated[
    str | None,
    QueryParameter(
        max_length=64, pattern="^[a-z][a-z0-9_]*$", description="Only of the feature with this key"
    ),
]
InState = Annotated[RunState | None, QueryParameter(name="state", description="Only in this state")]
OfBatch = Annotated[str | None, QueryParameter(max_length=100, description="Only of this batch")]
_TAG = "Runs"


class RunError(Struct, frozen=True, kw_only=True):
    code: str
    detail: str


class RunRow(Struct, frozen=True, kw_only=True):
    """A run without what came of it."""

    id: str
    feature: str
    state: RunState
    batch_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    charged: Credits

    @classmethod
    def of(cls, run: QueuedRun) -> "RunRow":
        return cls(**_row(run))


class RunProgress(Struct, frozen=True, kw_only=True):
    """About how many output tokens the model has said in this attempt, as of some seconds ago."""

    output_tokens: int


class QueuedAnswer(RunRow, frozen=True, kw_only=True):
    """``progress`` while it runs; ``output``, ``model`` and token counts once it is done, or ``error``.

    ``attempts`` is how often a worker has begun it. It is kept until ``kept_until``.
    """

    kept_until: datetime | None
    attempts: int
    progress: RunProgress | None
    model: str | None
    output: Any
    usage: dict[str, int] | None
    error: RunError | None

    @classmethod
    def of(cls, run: QueuedRun) -> "QueuedAnswer":
        outcome: Mapping[str, Any] = {} if run.outcome is None else json.loads(run.outcome)
        error = outcome.get("error")
        return cls(
            **_row(run),
            kept_until=run.kept_until,
            attempts=run.attempts,
            progress=RunProgress(output_tokens=run.output_tokens) if run.state is RunState.RUNNING else None,
            model=outcome.get("model"),
            output=outcome.get("output"),
            usage=outcome.get("usage"),
            error=None if error is None else RunError(code=error["code"], detail=error["detail"]),
        )


def _row(run: QueuedRun) -> dict[str, Any]:
    return {
        "id": run_text(run.account, run.id),
        "feature": run.feature,
        "state": run.state,
        "batch_id": None if run.batch is None else batch_text(run.account, run.batch),
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "charged": format_credits(run.charged),
    }


class RunsAnswer(Struct, frozen=True, kw_only=True):
    """The newest first. ``next_cursor`` is null on the last page."""

    items: list[RunRow]
    next_cursor: str | None


class BatchRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Each of ``inputs`` satisfies the feature's input schema. ``notify``: a mail tells the end of all."""

    inputs: Annotated[list[dict[str, Any]], Meta(min_length=1, max_length=MOST_INPUTS)]
    notify: bool = False


class BatchAnswer(Struct, frozen=True, kw_only=True):
    """How many of its ``total`` runs are in which state; fewer than all once some are no longer kept."""

    id: str
    feature: str
    created_at: datetime
    total: int
    queued: int
    running: int
    done: int
    failed: int
    cancelled: int
    charged: Credits

    @classmethod
    def of(cls, standing: BatchStanding) -> "BatchAnswer":
        batch = standing.batch
        return cls(
            id=batch_text(batch.account, batch.id),
            feature=batch.feature,
            created_at=batch.created_at,
            total=batch.total,
            charged=format_credits(standing.charged),
            **{state.value: standing.counts.get(state, 0) for state in RunState},
        )


def queued_headers(queued: Queued) -> dict[str, str]:
    return {**limit_headers(queued.standings), **(REPLAYED if queued.replayed else {})}


@lean_post(
    "/v1/features/{feature:str}/batches",
    tag=_TAG,
    status=HTTPStatus.ACCEPTED,
    refuses=(FeatureMissing, InvalidInput, *OF_SPENDING, ModelNotConfigured, PromptUnrenderable),
    tells=(REPLAYED_HEADER, *LIMIT_HEADERS),
)
async def run_batch(
    actor: Customer,
    feature: FeaturePath,
    data: JSONBody[BatchRequest],
    queue: FromDishka[QueueRuns],
    key: OptionalIdempotencyKey = None,
) -> Reply[BatchAnswer]:
    """Queue up to 1,000 runs of a feature.

    Credits are held for all of them, or for none. It counts as one call under the limits.
    """
    queued = await queue.many(actor, feature, data.inputs, idempotency_key=key, notify=data.notify)
    assert queued.batch is not None  # noqa: S101 - a batch was asked for
    answer = BatchAnswer.of(queued.batch)
    return Reply(answer, {**queued_headers(queued), "Location": f"/v1/batches/{answer.id}"})


@reading("/v1/batches/{batch:str}", by=Customer, tag=_TAG, refuses=(MalformedId, RunMissing))
async def read_batch(
    batch: BatchPath, customer: NamedDependency[Customer], use: FromDishka[LookAtRuns]
) -> BatchAnswer:
    """How far it is."""
    return BatchAnswer.of(await use.batch(customer, *parse_batch(batch)))


@reading("/v1/runs", by=Customer, tag=_TAG, refuses=(MalformedId,))
async def list_runs(
    *,
    customer: NamedDependency[Customer],
    use: FromDishka[LookAtRuns],
    feature: OfFeature = None,
    in_state: InState = None,
    batch: OfBatch = None,
    start: From = None,
    end: To = None,
    cursor: Cursor = None,
    limit: Annotated[int, QueryParameter(ge=1, le=200)] = 50,
) -> RunsAnswer:
    """Queued runs of the account, by when they were queued."""
    account, after = (None, None) if cursor is None else parse_run(cursor)
    wanted_batch = None if batch is None else parse_batch(batch)
    foreign = {account, None if wanted_batch is None else wanted_batch[0]} - {None, customer.account}
    if foreign:
        raise invalid("the cursor and the batch are of another account")
    wanted = Wanted(
        feature=feature,
        state=in_state,
        batch=None if wanted_batch is None else wanted_batch[1],
        start=instant("from", start),
        end=instant("to", end),
    )
    page = await use.page(customer, wanted, after=after, limit=limit)
    last = page.items[-1] if page.more else None
    return RunsAnswer(
        items=[RunRow.of(each) for each in page.items],
        next_cursor=None if last is None else run_text(last.account, last.id),
    )


@reading("/v1/runs/{run:str}", by=Customer, tag=_TAG, refuses=(MalformedId, RunMissing))
async def read_run(
    run: RunPath, customer: NamedDependency[Customer], use: FromDishka[LookAtRuns]
) -> QueuedAnswer:
    """A queued run: its state, and what came of it."""
    return QueuedAnswer.of(await use.one(customer, *parse_run(run)))


@deleting("/v1/runs/{run:str}", by=Customer, tag=_TAG, refuses=(MalformedId, RunMissing, RunEnded))
async def cancel_run(
    run: RunPath, customer: NamedDependency[Customer], use: FromDishka[EndQueuedRun]
) -> None:
    """Cancel it: its credits are free again, and nothing is charged."""
    account, id = parse_run(run)
    note(reservation=run)
    await use.cancel(customer, account, id)


@deleting("/v1/runs/{run:str}/result", by=Customer, tag=_TAG, refuses=(MalformedId, RunMissing, RunNotEnded))
async def erase_run(run: RunPath, customer: NamedDependency[Customer], use: FromDishka[EndQueuedRun]) -> None:
    """Delete what it was about and what came of it. What was charged stays in the books."""
    await use.erase(customer, *parse_run(run))


HANDLERS = [run_batch, read_batch, list_runs, read_run, cancel_run, erase_run]
