"""CueBX runs a feature itself, for a customer's program."""

from http import HTTPStatus
from typing import Any, Literal

from dishka import FromDishka
from litestar.openapi import ResponseSpec
from litestar.params import JSONBody
from msgspec import Struct

from application.actor import Customer
from application.features.queued import QueueRuns
from application.features.run import RunFeature, RunResult
from domain.catalog.errors import FeatureMissing
from domain.credits import format_credits
from domain.features.errors import (
    InvalidInput,
    ModelFailed,
    ModelLate,
    ModelNotConfigured,
    ModelRefused,
    OutputInvalid,
    OutputTruncated,
    OutputUnaffordable,
    PromptUnrenderable,
    RunInProgress,
    RunInterrupted,
    ServerStopping,
)
from domain.features.run import run_text
from domain.ids import reservation_text
from entrypoints.http.fields import Credits, FeaturePath
from entrypoints.http.idempotency import REPLAYED, OptionalIdempotencyKey
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.prefer import RESPOND_ASYNC, PreferHeader, prefers
from entrypoints.http.queued import QueuedAnswer, queued_headers
from entrypoints.http.ratelimit import limit_headers
from entrypoints.http.refusals import LIMIT_HEADERS, OF_SPENDING, REPLAYED_HEADER
from entrypoints.http.simulate import SimulateHeader
from entrypoints.logging import note


class RunRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``input`` satisfies the feature's input schema.

    ``mode`` says whether the answer waits for the run, or the run for a worker, as `Prefer: respond-async`
    does. ``notify``: of a queued one, a mail tells its end.
    """

    input: dict[str, Any]
    mode: Literal["direct", "queued"] = "direct"
    notify: bool = False


class RunUsage(Struct, frozen=True, kw_only=True):
    """``credits`` is what was charged."""

    input_tokens: int
    output_tokens: int
    credits: Credits


class RunAnswer(Struct, frozen=True, kw_only=True):
    """``output`` satisfies the feature's output schema; ``available`` is what the account has left."""

    id: str
    feature: str
    model: str
    output: Any
    usage: RunUsage
    available: Credits

    @classmethod
    def of(cls, result: RunResult) -> "RunAnswer":
        return cls(
            id=run_text(result.account, result.id),
            feature=result.feature,
            model=result.model,
            output=result.output,
            usage=RunUsage(
                input_tokens=result.usage.input_tokens,
                output_tokens=result.usage.output_tokens,
                credits=format_credits(result.charged),
            ),
            available=format_credits(result.available),
        )


QUEUED = ResponseSpec(QueuedAnswer, description="It is queued", generate_examples=False)


@lean_post(
    "/v1/features/{feature:str}/runs",
    tag="Runs",
    refuses=(
        FeatureMissing,
        InvalidInput,
        *OF_SPENDING,
        OutputUnaffordable,
        RunInProgress,
        RunInterrupted,
        ModelFailed,
        ModelRefused,
        ModelLate,
        OutputInvalid,
        OutputTruncated,
        ModelNotConfigured,
        PromptUnrenderable,
        ServerStopping,
    ),
    tells=(REPLAYED_HEADER, *LIMIT_HEADERS),
    also={
        HTTPStatus.ACCEPTED: ResponseSpec(QueuedAnswer, description="It is queued", generate_examples=False)
    },
)
async def run_feature(
    actor: Customer,
    feature: FeaturePath,
    data: JSONBody[RunRequest],
    use: FromDishka[RunFeature],
    queue: FromDishka[QueueRuns],
    *,
    key: OptionalIdempotencyKey = None,
    simulate: SimulateHeader = None,
    prefer: PreferHeader = None,
) -> Reply[RunAnswer] | Reply[QueuedAnswer]:
    """Run a feature, and charge what it used.

    A failure charges nothing. A caller who hangs up is charged all the same: send an Idempotency-Key, and a
    repeat of the request gets the answer, for 24 hours, with `Idempotency-Replayed: true`.

    With `Prefer: respond-async`, or `"mode": "queued"`, the credits are held and the answer is 202 with a run
    to look at. It waits for 24 hours at most; what it answers is kept as long as the plan says.
    """
    if data.mode == "queued" or prefers(prefer, RESPOND_ASYNC):
        queued = await queue.one(
            actor, feature, data.input, idempotency_key=key, simulate=simulate, notify=data.notify
        )
        note(reservation=reservation_text(queued.run.account, queued.run.id))
        answer = QueuedAnswer.of(queued.run)
        told = {"Location": f"/v1/runs/{answer.id}", "Preference-Applied": RESPOND_ASYNC}
        return Reply(answer, {**queued_headers(queued), **told}, HTTPStatus.ACCEPTED)
    result = await use(actor, feature, data.input, idempotency_key=key, simulate=simulate)
    note(reservation=reservation_text(result.account, result.id))
    headers = {**limit_headers(result.standings), **(REPLAYED if result.replayed else {})}
    return Reply(RunAnswer.of(result), headers)


HANDLERS = [run_feature]
