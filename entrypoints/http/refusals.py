"""What the document says of an operation's refusals: every status, with every code that it may come with."""

from http import HTTPStatus
from typing import NamedTuple, TypeAlias

from litestar.datastructures import ResponseHeader
from litestar.openapi.datastructures import ResponseSpec

from application.access import OperationDenied
from application.notifications.suppressions import WebhookRefused
from domain.errors import DatabaseUnavailable, DomainError, SchemaBehind
from domain.identity.errors import AccessTokenNeeded, AccessTokenRefused
from domain.ids import MalformedId
from domain.keys.errors import (
    AddressNotAllowed,
    ApiKeyExpired,
    ApiKeyRevoked,
    ApiKeySuspended,
    ApiKeyUnknown,
    CredentialMissing,
    CustomerKeyNeeded,
    FeatureNotAllowed,
    ServiceKeyRefused,
)
from domain.usage.errors import (
    AccountParked,
    FeatureNotInPlan,
    InsufficientCredits,
    PaymentOverdue,
    RequestKeyReused,
    ReservationExpired,
    ReservationMissing,
    ReservationSettled,
    WorkspaceFrozen,
)
from domain.usage.limits import RateLimited
from domain.usage.simulate import SimulationRefused
from domain.usage.spend_limit import LimitMissing, SpendLimitReached
from domain.workspaces.workspace import WorkspaceMissing
from entrypoints.http.problems import PROBLEM, Problem, status_of


class Edge(NamedTuple):
    """A refusal before any use case sees the request."""

    status: HTTPStatus
    code: str


Refusable: TypeAlias = type[DomainError] | Edge

INVALID = Edge(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request")
AS_SERVICE: tuple[Refusable, ...] = (CredentialMissing, ServiceKeyRefused)
OF_KEY: tuple[Refusable, ...] = (ApiKeyUnknown, ApiKeyRevoked, ApiKeyExpired, ApiKeySuspended)
AS_CUSTOMER: tuple[Refusable, ...] = (CredentialMissing, CustomerKeyNeeded, AddressNotAllowed, *OF_KEY)
AS_PERSON: tuple[Refusable, ...] = (CredentialMissing, AccessTokenNeeded, AccessTokenRefused)
AS_MEMBER: tuple[Refusable, ...] = (*AS_PERSON, MalformedId, WorkspaceMissing, OperationDenied)
AS_OPERATOR: tuple[Refusable, ...] = (*AS_PERSON, OperationDenied)
AS_MAIL_SERVICE: tuple[Refusable, ...] = (CredentialMissing, WebhookRefused)
OF_LIMIT: tuple[Refusable, ...] = (MalformedId, LimitMissing, OperationDenied)
OF_BODY: tuple[Refusable, ...] = (
    Edge(HTTPStatus.BAD_REQUEST, "client_disconnected"),
    Edge(HTTPStatus.BAD_REQUEST, "malformed_json"),
    Edge(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large"),
    Edge(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
    INVALID,
)
OF_IDEMPOTENCY_KEY: tuple[Refusable, ...] = (
    Edge(HTTPStatus.BAD_REQUEST, "idempotency_key_missing"),
    Edge(HTTPStatus.BAD_REQUEST, "idempotency_key_malformed"),
)
OF_SIMULATE: tuple[Refusable, ...] = (Edge(HTTPStatus.BAD_REQUEST, "simulation_unknown"), SimulationRefused)
OF_ACCOUNT: tuple[Refusable, ...] = (WorkspaceFrozen, AccountParked, PaymentOverdue)
OF_SPENDING: tuple[Refusable, ...] = (
    *OF_ACCOUNT,
    FeatureNotInPlan,
    FeatureNotAllowed,
    InsufficientCredits,
    SpendLimitReached,
    RequestKeyReused,
    RateLimited,
)
OF_RESERVATION: tuple[Refusable, ...] = (
    MalformedId,
    ReservationMissing,
    ReservationSettled,
    ReservationExpired,
)
_ALWAYS: tuple[Refusable, ...] = (
    Edge(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error"),
    DatabaseUnavailable,
    SchemaBehind,
)


def _header(name: str, description: str) -> ResponseHeader:
    return ResponseHeader(name=name, value="", description=description, documentation_only=True)


REPLAYED_HEADER = _header(
    "Idempotency-Replayed", "`true` where this was done before, and this is the answer of then"
)
LIMIT_HEADERS = (
    _header("RateLimit-Policy", "What the plan allows, where it bounds anything"),
    _header("RateLimit", "Where the workspace stands under that"),
)


def errors(*refusals: Refusable) -> dict[int, ResponseSpec]:
    """Of an operation: what it may refuse with, besides what every one may."""
    codes: dict[HTTPStatus, dict[str, None]] = {}
    for each in (*refusals, *_ALWAYS):
        status = each.status if isinstance(each, Edge) else status_of(each)
        codes.setdefault(status, {})[each.code] = None
    return {int(status): _spec(status, codes[status]) for status in sorted(codes)}


def _spec(status: HTTPStatus, codes: dict[str, None]) -> ResponseSpec:
    return ResponseSpec(
        data_container=Problem,
        description=f"{status.phrase}: {', '.join(f'`{code}`' for code in codes)}",
        generate_examples=False,
        media_type=PROBLEM,
    )
