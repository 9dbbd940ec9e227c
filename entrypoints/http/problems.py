"""Errors as problem details (RFC 9457). One table says which family has which status."""

from dataclasses import asdict, is_dataclass
from functools import singledispatch
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException, MethodNotAllowedException, ValidationException

from domain.billing.errors import StillSubscribed
from domain.credits import format_credits
from domain.errors import (
    Conflict,
    Denied,
    DomainError,
    Invalid,
    Limited,
    Missing,
    Unaffordable,
    Unauthenticated,
    Unavailable,
    UpstreamFailed,
    UpstreamLate,
)
from domain.identity.deletion import StillOwner
from domain.ids import limit_text, workspace_text
from domain.usage.errors import InsufficientCredits
from domain.usage.limits import RateLimited
from domain.usage.spend_limit import SpendLimitReached
from entrypoints.http.ratelimit import refusal_headers
from entrypoints.logging import note

PROBLEM = "application/problem+json"
TYPE = "https://errors.cuebx.dev/"
STATUS: dict[type[DomainError], HTTPStatus] = {
    Unauthenticated: HTTPStatus.UNAUTHORIZED,
    Unaffordable: HTTPStatus.PAYMENT_REQUIRED,
    Denied: HTTPStatus.FORBIDDEN,
    Missing: HTTPStatus.NOT_FOUND,
    Conflict: HTTPStatus.CONFLICT,
    Invalid: HTTPStatus.UNPROCESSABLE_ENTITY,
    Limited: HTTPStatus.TOO_MANY_REQUESTS,
    UpstreamFailed: HTTPStatus.BAD_GATEWAY,
    Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    UpstreamLate: HTTPStatus.GATEWAY_TIMEOUT,
}

log = structlog.get_logger(__name__)


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """``code`` is stable; the facts of an error follow as further members."""

    type: str
    title: str
    status: int
    detail: str
    code: str


class Refusal(Exception):
    """The edge itself refuses a request, before any use case sees it."""

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.code = code
        self.headers = headers or {}


def invalid(detail: str) -> Refusal:
    return Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail)


def status_of(error: type[DomainError]) -> HTTPStatus:
    return next(status for family, status in STATUS.items() if issubclass(error, family))


def answer(
    status: int,
    code: str,
    detail: str,
    *,
    facts: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Response[Any]:
    note(code=code)
    body = {
        "type": TYPE + code,
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
        **(facts or {}),
    }
    return Response(body, status_code=int(status), media_type=PROBLEM, headers=headers)


@singledispatch
def facts_of(error: Exception) -> dict[str, Any]:
    """What an error's answer tells besides its text."""
    if is_dataclass(error) and not isinstance(error, type):
        return asdict(error)
    return {}


@facts_of.register
def _(error: InsufficientCredits) -> dict[str, Any]:
    return {"needed": format_credits(error.needed), "available": format_credits(error.available)}


@facts_of.register
def _(error: SpendLimitReached) -> dict[str, Any]:
    return {
        "limit_id": limit_text(error.account, error.limit),
        "needed": format_credits(error.needed),
        "available": format_credits(error.available),
    }


@facts_of.register
def _(error: StillOwner) -> dict[str, Any]:
    return {"workspaces": [workspace_text(each) for each in error.workspaces]}


@facts_of.register
def _(error: StillSubscribed) -> dict[str, Any]:
    return {"products": list(error.products)}


@facts_of.register
def _(error: RateLimited) -> dict[str, Any]:
    return {"limit": error.limit, "retry_after": error.retry_after}


def _headers(error: DomainError) -> dict[str, str]:
    headers = {}
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, RateLimited):
        return refusal_headers(error)
    after = getattr(error, "retry_after", None)
    if after is not None:
        headers["Retry-After"] = str(after)
    return headers


def domain_problem(_: Request[Any, Any, Any], error: DomainError) -> Response[Any]:
    return answer(
        status_of(type(error)), error.code, str(error), facts=facts_of(error), headers=_headers(error)
    )


def edge_problem(_: Request[Any, Any, Any], error: Refusal) -> Response[Any]:
    return answer(error.status, error.code, str(error), headers=error.headers)


def http_problem(_: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    """Litestar's own refusals: no such path, wrong method, a body or parameter of the wrong form."""
    status = error.status_code
    code = HTTPStatus(status).phrase.lower().replace(" ", "_")
    if isinstance(error, ValidationException):
        faults = [
            {"at": str(each.get("key", "")), "message": str(each.get("message", ""))}
            for each in (error.extra if isinstance(error.extra, list) else [])
            if isinstance(each, dict)
        ]
        detail = "; ".join(f"{each['at']}: {each['message']}" for each in faults) or error.detail
        return answer(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", detail, facts={"faults": faults})
    headers = dict(error.headers or {}) if isinstance(error, MethodNotAllowedException) else None
    return answer(status, code, error.detail or HTTPStatus(status).phrase, headers=headers)


def unexpected_problem(_: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("unexpected error", exc_info=error)
    return answer(HTTPStatus.INTERNAL_SERVER_ERROR, "internal_error", "something went wrong on our side")


HANDLERS: dict[int | type[Exception], Any] = {
    DomainError: domain_problem,
    Refusal: edge_problem,
    HTTPException: http_problem,
    Exception: unexpected_problem,
}
