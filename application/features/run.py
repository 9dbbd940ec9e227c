import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from application.actor import Customer
from application.catalog.ports import Catalog
from application.features.ask import AskModel
from application.features.books import RunBooks
from application.features.in_flight import InFlight
from application.features.ports import Model, Models, Prompts, Schemas
from application.ports import NewId
from application.usage.limits import limits_of
from application.usage.ports import RateLimiter
from application.usage.simulate import simulate_before
from domain.catalog.feature import Feature
from domain.credits import Quantity
from domain.errors import DatabaseUnavailable
from domain.features.errors import InvalidInput, ModelFailed
from domain.features.run import Call, Failed, Outcome
from domain.features.tokens import most_tokens, units_of
from domain.ids import AccountId, ReservationId
from domain.usage.limits import RateLimited, Standing
from domain.usage.reservation import Reservation
from domain.usage.reserve import Fit, Reserve
from domain.usage.simulate import Simulate

MARGIN = timedelta(seconds=30)
"""From a feature's timeout to its hold's deadline: to check the answer and to write it down."""
# A reservation's request is its idempotency key as it came. No key holds a double quote (RFC 9651, section
# 3.3.3, and none with an escape is taken), so nothing that a client can say is the request of a run.
_RUN = 'run"'
_ANONYMOUS = 'run""'


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """``charged`` and ``available`` (after the charge) are microcredits."""

    account: AccountId
    id: ReservationId
    feature: str
    model: str
    output: object
    usage: Quantity
    charged: int
    available: int
    replayed: bool
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class _Job:
    actor: Customer
    feature: Feature
    model: Model
    document: Mapping[str, object]
    prompt: str
    standings: tuple[Standing, ...]
    refusal: RateLimited | None
    idempotency_key: str | None
    simulate: Simulate | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFeature:
    """Run a feature for a customer, and charge what it used.

    Raises SimulationRefused, FeatureNotAllowed, FeatureMissing, InvalidInput, ModelNotConfigured,
    PromptUnrenderable, RateLimited; what ``Reserve`` raises (an estimate that is not affordable is clamped);
    RunInProgress and RunInterrupted for a repeated idempotency key, which no limit refuses; a ``RunFailure``,
    for which nothing is charged; ServerStopping, DatabaseUnavailable.
    """

    catalog: Catalog
    limiter: RateLimiter
    books: RunBooks
    schemas: Schemas
    prompts: Prompts
    models: Models
    ask: AskModel
    new_id: NewId
    in_flight: InFlight

    async def __call__(
        self,
        actor: Customer,
        key: str,
        document: Mapping[str, object],
        *,
        idempotency_key: str | None = None,
        simulate: Simulate | None = None,
    ) -> RunResult:
        simulate_before(simulate, test=actor.test, run=True)
        actor.policy.check_feature(key)
        feature = await self.catalog.feature(key)
        faults = self.schemas.input_faults(feature, document)
        if faults:
            raise InvalidInput(faults)
        model = self.models.find(feature.model)
        prompt = self.prompts.render(feature, document)
        plan = await self.catalog.plan(actor.plan)
        refusal = None
        try:
            limits = limits_of(plan, actor.key, actor.policy)
            standings = await self.limiter.hit(actor.workspace, actor.plan.product, limits)
        except RateLimited as limited:
            if idempotency_key is None:
                raise
            standings, refusal = limited.standings, limited
        job = _Job(actor, feature, model, document, prompt, standings, refusal, idempotency_key, simulate)
        return await self.in_flight.finish(self._run(job))

    async def _run(self, job: _Job) -> RunResult:
        """From the hold to its settlement: what must not be left half done."""
        reserve = self._reserve(job)
        reservation = await self.books.begin(reserve, refusal=job.refusal)
        replayed = reservation.id != reserve.id
        if replayed:
            outcome = await self.books.earlier(reservation)
        else:
            outcome = await self._outcome(job, reservation)
        if isinstance(outcome, Failed):
            await self.books.release(reservation)
            raise outcome.error
        settlement = await self.books.charge(reservation, outcome)
        return RunResult(
            account=reservation.account,
            id=reservation.id,
            feature=reservation.feature,
            model=outcome.model,
            output=outcome.output,
            usage=outcome.usage,
            charged=settlement.charged,
            available=settlement.available,
            replayed=replayed,
            standings=job.standings,
        )

    async def _outcome(self, job: _Job, reservation: Reservation) -> Outcome:
        """The model's, kept where a repeat may ask for it. Ends the hold where there will be none."""
        call = Call(
            feature=job.feature.key,
            document=job.document,
            prompt=job.prompt,
            schema=self.schemas.output_text(job.feature),
            max_output_tokens=reservation.opening.output_tokens,
            timeout=job.feature.timeout,
        )
        try:
            outcome: Outcome
            if job.simulate is Simulate.UPSTREAM_ERROR:
                outcome = Failed(ModelFailed())
            else:
                outcome = await self.ask(job.model, job.feature, call, units=reservation.estimate.units)
            if job.idempotency_key is not None:
                await self.books.keep(reservation, outcome)
        except BaseException:
            with suppress(DatabaseUnavailable):  # then the hold's deadline does it
                await self.books.release(reservation)
            raise
        return outcome

    def _reserve(self, job: _Job) -> Reserve:
        actor, feature = job.actor, job.feature
        id = ReservationId(self.new_id())
        if job.idempotency_key is None:
            request, fingerprint = f"{_ANONYMOUS}{id}", ""
        else:
            request, fingerprint = f"{_RUN}{job.idempotency_key}", _fingerprint(job)
        return Reserve(
            account=actor.account,
            id=id,
            request=request,
            fingerprint=fingerprint,
            key=actor.key,
            member=actor.member,
            test=actor.test,
            feature=feature.key,
            estimate=Quantity(
                input_tokens=most_tokens(job.prompt, self.schemas.output_text(feature)),
                output_tokens=feature.max_output_tokens,
                units=units_of(job.document, feature.units_from),
            ),
            fit=Fit.CLAMP,
            expires_in=timedelta(seconds=feature.timeout) + MARGIN,
            simulate=job.simulate,
        )


def _fingerprint(job: _Job) -> str:
    whole = json.dumps([job.feature.key, job.actor.test, job.document], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
