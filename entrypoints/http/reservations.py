"""The money path for a seller's service: hold before the AI call, settle after it."""

from datetime import datetime, timedelta
from typing import Annotated

from dishka import FromDishka
from litestar.params import JSONBody
from msgspec import UNSET, Meta, Struct, UnsetType

from application.actor import Service
from application.usage.ports import Ledger
from application.usage.reserve import FindPayer, Order, ReserveCredits
from domain.credits import Quantity, format_credits
from domain.ids import (
    AccountId,
    MalformedId,
    ReservationId,
    account_text,
    parse_account,
    parse_reservation,
    reservation_text,
)
from domain.usage.errors import AccountMissing, InsufficientCredits
from domain.usage.reservation import LONGEST, USUAL, Reservation
from domain.usage.reserve import Extend, Fit
from domain.usage.settle import Commit, Release, Settled, Start
from domain.usage.spend_limit import SpendLimitReached
from entrypoints.http.fields import Count, Credits, Key, Line, ReservationPath
from entrypoints.http.idempotency import REPLAYED, IdempotencyKey, fingerprint
from entrypoints.http.lean import Reply, lean_post
from entrypoints.http.problems import invalid
from entrypoints.http.ratelimit import limit_headers
from entrypoints.http.refusals import (
    LIMIT_HEADERS,
    OF_ACCOUNT,
    OF_KEY,
    OF_RESERVATION,
    OF_SPENDING,
    REPLAYED_HEADER,
)
from entrypoints.http.simulate import SimulateHeader
from entrypoints.logging import note

PATH = "/v1/reservations"
TAG = "Reservations"
ExpiresIn = Annotated[
    int, Meta(ge=1, le=int(LONGEST.total_seconds()), description="Seconds until the hold ends by itself")
]


class Estimate(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The most that the call may use."""

    input_tokens: Count = 0
    max_output_tokens: Count = 0
    units: Count = 0

    def quantity(self) -> Quantity:
        return Quantity(
            input_tokens=self.input_tokens, output_tokens=self.max_output_tokens, units=self.units
        )


class ReserveRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who pays is named by ``api_key`` or by ``account_id``: one of them."""

    api_key: Line | UnsetType = UNSET
    account_id: Line | UnsetType = UNSET
    feature: Key
    estimate: Estimate
    fit: Fit = Fit.EXACT
    expires_in: ExpiresIn = int(USUAL.total_seconds())


class Affordable(Struct, frozen=True, kw_only=True):
    """``calls``: how many further calls like this the account could pay (null: they cost nothing).

    ``output_tokens``: how many the hold pays for; fewer than asked for where ``fit`` is ``clamp``.
    """

    calls: int | None
    output_tokens: int


class ReservedAnswer(Struct, frozen=True, kw_only=True):
    id: str
    state: str
    account_id: str
    feature: str
    held: Credits
    available: Credits
    affordable: Affordable
    expires_at: datetime
    test: bool

    @classmethod
    def of(cls, reservation: Reservation) -> "ReservedAnswer":
        """As it was when it was made, so that a replay says the same."""
        opening = reservation.opening
        return cls(
            id=reservation_text(reservation.account, reservation.id),
            state="held",
            account_id=account_text(reservation.account),
            feature=reservation.feature,
            held=format_credits(opening.held),
            available=format_credits(opening.available),
            affordable=Affordable(calls=opening.calls, output_tokens=opening.output_tokens),
            expires_at=opening.expires_at,
            test=reservation.test,
        )


class Started(Struct, frozen=True, kw_only=True):
    id: str
    state: str
    started_at: datetime | None
    expires_at: datetime


class Usage(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the call used."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    units: Count = 0


class CommitRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    usage: Usage
    model: Line | None = None
    latency_ms: Annotated[int, Meta(ge=0, le=86_400_000)] | None = None


class SettledAnswer(Struct, frozen=True, kw_only=True):
    id: str
    state: str
    charged: Credits
    uncollected: Credits
    available: Credits

    @classmethod
    def of(cls, settled: Settled) -> "SettledAnswer":
        reservation, settlement = settled.reservation, settled.settlement
        return cls(
            id=reservation_text(reservation.account, reservation.id),
            state=reservation.state,
            charged=format_credits(settlement.charged),
            uncollected=format_credits(settlement.uncollected),
            available=format_credits(settlement.available),
        )


class ExtendRequest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What to reach: the whole estimate, and the seconds from now. At least one of them."""

    estimate: Estimate | UnsetType = UNSET
    expires_in: ExpiresIn | UnsetType = UNSET


class Extended(Struct, frozen=True, kw_only=True):
    id: str
    state: str
    held: Credits
    available: Credits
    expires_at: datetime


def named(reservation: str) -> tuple[AccountId, ReservationId]:
    """What a path names, noted for the log. Raises MalformedId."""
    ids = parse_reservation(reservation)
    note(reservation=reservation)
    return ids


@lean_post(
    PATH,
    tag=TAG,
    status=201,
    refuses=(*OF_KEY, MalformedId, AccountMissing, *OF_SPENDING),
    tells=(REPLAYED_HEADER, *LIMIT_HEADERS),
)
async def reserve(
    actor: Service,
    data: JSONBody[ReserveRequest],
    key: IdempotencyKey,
    find: FromDishka[FindPayer],
    hold: FromDishka[ReserveCredits],
    *,
    simulate: SimulateHeader = None,
) -> Reply[ReservedAnswer]:
    """Hold the most that a call may cost.

    The same Idempotency-Key with the same body gets the same answer, with `Idempotency-Replayed: true`.
    """
    order = Order(
        request=key,
        fingerprint=fingerprint("reserve", data),
        feature=data.feature,
        estimate=data.estimate.quantity(),
        fit=data.fit,
        expires_in=timedelta(seconds=data.expires_in),
        simulate=simulate,
    )
    if isinstance(data.api_key, str) and data.account_id is UNSET:
        payer = await find.by_key(actor, data.api_key)
    elif isinstance(data.account_id, str) and data.api_key is UNSET:
        payer = await find.by_account(actor, parse_account(data.account_id))
    else:
        raise invalid("name who pays by one of `api_key` and `account_id`")
    note(workspace=payer.workspace)
    reserved, standings = await hold(payer, order)
    answer = ReservedAnswer.of(reserved.reservation)
    note(reservation=answer.id)
    return Reply(answer, {**limit_headers(standings), **(REPLAYED if reserved.replayed else {})})


@lean_post(PATH + "/{reservation:str}/start", tag=TAG, refuses=OF_RESERVATION)
async def start(_: Service, reservation: ReservationPath, ledger: FromDishka[Ledger]) -> Reply[Started]:
    """The AI call begins: from now on the feature's rule says what happens if it is never settled."""
    account, id = named(reservation)
    started = await ledger.execute(Start(account=account, reservation=id))
    return Reply(
        Started(
            id=reservation, state=started.state, started_at=started.started_at, expires_at=started.expires_at
        )
    )


@lean_post(PATH + "/{reservation:str}/commit", tag=TAG, refuses=OF_RESERVATION, tells=(REPLAYED_HEADER,))
async def commit(
    _: Service, reservation: ReservationPath, data: JSONBody[CommitRequest], ledger: FromDishka[Ledger]
) -> Reply[SettledAnswer]:
    """Charge what the call used, and give back the rest of the hold. A repeat gets the same answer."""
    account, id = named(reservation)
    used = data.usage
    settled = await ledger.execute(
        Commit(
            account=account,
            reservation=id,
            usage=Quantity(
                input_tokens=used.input_tokens, output_tokens=used.output_tokens, units=used.units
            ),
            model=data.model,
            latency_ms=data.latency_ms,
        )
    )
    return Reply(SettledAnswer.of(settled), REPLAYED if settled.replayed else {})


@lean_post(PATH + "/{reservation:str}/release", tag=TAG, refuses=OF_RESERVATION, tells=(REPLAYED_HEADER,))
async def release(
    _: Service, reservation: ReservationPath, ledger: FromDishka[Ledger]
) -> Reply[SettledAnswer]:
    """Give the hold back. A repeat gets the same answer."""
    account, id = named(reservation)
    settled = await ledger.execute(Release(account=account, reservation=id))
    return Reply(SettledAnswer.of(settled), REPLAYED if settled.replayed else {})


@lean_post(
    PATH + "/{reservation:str}/extend",
    tag=TAG,
    refuses=(*OF_RESERVATION, *OF_ACCOUNT, InsufficientCredits, SpendLimitReached),
)
async def extend(
    _: Service, reservation: ReservationPath, data: JSONBody[ExtendRequest], ledger: FromDishka[Ledger]
) -> Reply[Extended]:
    """Raise the hold or its deadline while a call goes on: all of it, or nothing."""
    account, id = named(reservation)
    if data.estimate is UNSET and data.expires_in is UNSET:
        raise invalid("say what to extend: `estimate`, `expires_in`, or both")
    extended = await ledger.execute(
        Extend(
            account=account,
            reservation=id,
            estimate=data.estimate.quantity() if isinstance(data.estimate, Estimate) else None,
            expires_in=timedelta(seconds=data.expires_in) if isinstance(data.expires_in, int) else None,
        )
    )
    held = extended.reservation
    return Reply(
        Extended(
            id=reservation,
            state=held.state,
            held=format_credits(held.held),
            available=format_credits(extended.available),
            expires_at=held.expires_at,
        )
    )


HANDLERS = [reserve, start, commit, release, extend]
