"""A reservation, with everything that explains its charge."""

from datetime import datetime

from dishka import FromDishka
from msgspec import Struct

from application.actor import Service
from application.usage.ports import UsageReader
from domain.credits import Quantity, format_credits
from domain.ids import MalformedId, account_text, parse_reservation, reservation_text
from domain.usage.errors import ReservationMissing
from domain.usage.reservation import Reservation, Settlement
from entrypoints.http.fields import Credits, LotPart, ReservationPath, Sum, Tokens
from entrypoints.http.reservations import TAG
from entrypoints.http.routes import reading


class Charge(Struct, frozen=True, kw_only=True):
    """How it ended: what the call cost, and which lots paid how much of it."""

    at: datetime
    usage: Tokens
    model: str | None
    latency_ms: int | None
    cost: Credits
    charged: Credits
    uncollected: Credits
    lots: list[LotPart]
    arithmetic: Sum

    @classmethod
    def of(cls, reservation: Reservation, settlement: Settlement) -> "Charge":
        return cls(
            at=settlement.at,
            usage=Tokens.of(settlement.usage),
            model=settlement.model,
            latency_ms=settlement.latency_ms,
            cost=format_credits(settlement.cost),
            charged=format_credits(settlement.charged),
            uncollected=format_credits(settlement.uncollected),
            lots=[LotPart.of(part) for part in settlement.charges],
            arithmetic=_sum(reservation, settlement.usage),
        )


class ReservationAnswer(Struct, frozen=True, kw_only=True):
    """``lots``: what it still holds of. ``estimated``: the sum behind the hold. ``charge``: how it ended."""

    id: str
    state: str
    account_id: str
    feature: str
    test: bool
    held: Credits
    lots: list[LotPart]
    plan: str
    price_version: int
    estimate: Tokens
    estimated: Sum
    created_at: datetime
    started_at: datetime | None
    expires_at: datetime
    charge: Charge | None

    @classmethod
    def of(cls, reservation: Reservation) -> "ReservationAnswer":
        settlement = reservation.settlement
        return cls(
            id=reservation_text(reservation.account, reservation.id),
            state=reservation.state,
            account_id=account_text(reservation.account),
            feature=reservation.feature,
            test=reservation.test,
            held=format_credits(reservation.held),
            lots=[LotPart.of(part) for part in reservation.holds],
            plan=reservation.rate.plan,
            price_version=reservation.rate.price_version,
            estimate=Tokens.of(reservation.estimate),
            estimated=_sum(reservation, reservation.estimate),
            created_at=reservation.created_at,
            started_at=reservation.started_at,
            expires_at=reservation.expires_at,
            charge=None if settlement is None else Charge.of(reservation, settlement),
        )


def _sum(reservation: Reservation, quantity: Quantity) -> Sum:
    rate = reservation.rate
    return Sum.of(rate.price.explain(quantity, multiplier=rate.multiplier))


@reading(
    "/v1/reservations/{reservation:str}",
    by=Service,
    tag=TAG,
    refuses=(MalformedId, ReservationMissing),
)
async def reservation(reservation: ReservationPath, reader: FromDishka[UsageReader]) -> ReservationAnswer:
    """A reservation as it stands now: lots, price version, and the arithmetic of its charge."""
    account, id = parse_reservation(reservation)
    return ReservationAnswer.of(await reader.reservation(account, id))
