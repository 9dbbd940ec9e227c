"""The money of a run: held and started in one step, settled once, whatever happens in between."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from application.features.ports import Runs
from application.usage.ports import Ledger
from application.usage.reserve import AroundReserve, Recall
from domain.errors import DatabaseUnavailable
from domain.features.errors import RunInProgress, RunInterrupted
from domain.features.run import Outcome, Produced
from domain.usage.desk import Desk
from domain.usage.errors import ReservationExpired, ReservationSettled
from domain.usage.limits import RateLimited
from domain.usage.reservation import Reservation, Settlement
from domain.usage.reserve import Reserve, Reserved
from domain.usage.settle import Commit, Release, Start

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Begin(AroundReserve):
    """``Reserve`` and ``Start`` as one command: nothing happens between them, and a round trip is saved."""

    def decide(self, desk: Desk, now: datetime) -> Reserved:
        reserved = self.reserve.decide(desk, now)
        if reserved.replayed:
            return reserved
        start = Start(account=self.account, reservation=reserved.reservation.id)
        return Reserved(start.decide(desk, now), replayed=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunBooks:
    """``pauses`` are the seconds between attempts to write while the database is away."""

    ledger: Ledger
    runs: Runs
    pauses: tuple[float, ...] = (0.05, 0.25, 1.0)

    async def begin(self, reserve: Reserve, *, refusal: RateLimited | None = None) -> Reservation:
        """An earlier request's with the same key, if its id is not the one that ``reserve`` names.

        What the ledger calls a replay may be this very request, sent twice over a bad connection.
        Raises ``refusal``, if there is one, where there was no earlier request.
        """
        command = Begin(reserve) if refusal is None else Recall(reserve, refusal)
        reserved = await self.ledger.execute(command)
        return reserved.reservation

    async def keep(self, reservation: Reservation, outcome: Outcome) -> None:
        """Before it is settled: after a crash in between, the repeat finds the outcome and settles by it."""
        await self._insist(lambda: self.runs.keep(reservation.account, reservation.id, outcome))

    async def charge(self, reservation: Reservation, produced: Produced) -> Settlement:
        """May be repeated. Raises RunInterrupted where the hold has ended otherwise before."""
        commit = Commit(
            account=reservation.account,
            reservation=reservation.id,
            usage=produced.usage,
            model=produced.model,
            latency_ms=produced.latency_ms,
        )
        try:
            settled = await self._insist(lambda: self.ledger.execute(commit))
        except (ReservationExpired, ReservationSettled) as error:
            raise RunInterrupted from error
        return settled.settlement

    async def release(self, reservation: Reservation) -> None:
        """May be repeated; a hold that has ended by its deadline stays as it is."""
        release = Release(account=reservation.account, reservation=reservation.id)
        with suppress(ReservationExpired, ReservationSettled):
            await self._insist(lambda: self.ledger.execute(release))

    async def earlier(self, reservation: Reservation) -> Outcome:
        """How the first request under this key ended. Raises RunInProgress and RunInterrupted."""
        outcome = await self.runs.find(reservation.account, reservation.id)
        if outcome is not None:
            return outcome
        if reservation.state.open:
            raise RunInProgress
        raise RunInterrupted

    async def _insist(self, write: Callable[[], Awaitable[T]]) -> T:
        for pause in self.pauses:
            try:
                return await write()
            except DatabaseUnavailable:
                await asyncio.sleep(pause)
        return await write()
