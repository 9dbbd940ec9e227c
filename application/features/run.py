from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from application.actor import Customer
from application.features.ask import AskModel
from application.features.books import RunBooks
from application.features.in_flight import InFlight
from application.features.prepare import (
    CountCall,
    Prepared,
    PrepareRun,
    anonymous,
    fingerprint_of,
    request_of,
)
from application.ports import NewId
from application.usage.simulate import simulate_before
from domain.credits import Quantity
from domain.errors import DatabaseUnavailable
from domain.features.errors import ModelFailed
from domain.features.run import Failed, Outcome
from domain.ids import AccountId, ReservationId
from domain.usage.limits import RateLimited, Standing
from domain.usage.reservation import Reservation
from domain.usage.reserve import Fit, Reserve
from domain.usage.simulate import Simulate


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
    prepared: Prepared
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

    prepare: PrepareRun
    count: CountCall
    books: RunBooks
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
        prepared = await self.prepare(actor, key, document)
        standings, refusal = await self.count(actor, repeated=idempotency_key is not None)
        job = _Job(actor, prepared, standings, refusal, idempotency_key, simulate)
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
        prepared = job.prepared
        call = prepared.call(reservation.opening.output_tokens)
        try:
            outcome: Outcome
            if job.simulate is Simulate.UPSTREAM_ERROR:
                outcome = Failed(ModelFailed())
            else:
                outcome = await self.ask(
                    prepared.model, prepared.feature, call, units=reservation.estimate.units
                )
            if job.idempotency_key is not None:
                await self.books.keep(reservation, outcome)
        except BaseException:
            with suppress(DatabaseUnavailable):  # then the hold's deadline does it
                await self.books.release(reservation)
            raise
        return outcome

    def _reserve(self, job: _Job) -> Reserve:
        actor, prepared = job.actor, job.prepared
        id = ReservationId(self.new_id())
        if job.idempotency_key is None:
            request, fingerprint = anonymous(id), ""
        else:
            request = request_of(job.idempotency_key)
            fingerprint = fingerprint_of(actor, prepared.feature.key, job.prepared.document)
        return Reserve(
            account=actor.account,
            id=id,
            request=request,
            fingerprint=fingerprint,
            key=actor.key,
            member=actor.member,
            test=actor.test,
            feature=prepared.feature.key,
            estimate=prepared.estimate,
            fit=Fit.CLAMP,
            expires_in=prepared.lasts,
            simulate=job.simulate,
        )
