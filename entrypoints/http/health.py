from http import HTTPStatus
from typing import Literal

from dishka import FromDishka
from litestar import Response, get
from litestar.openapi.datastructures import ResponseSpec
from msgspec import Struct

from application.health import CheckHealth, Finding, Health, State
from entrypoints.http.inject import inject


class Alive(Struct, frozen=True):
    status: Literal["alive"] = "alive"


class DependencyState(Struct, frozen=True, kw_only=True):
    """``vital``: without it no request can be served."""

    name: str
    ok: bool
    vital: bool
    latency_ms: float
    detail: str

    @classmethod
    def of(cls, finding: Finding) -> "DependencyState":
        return cls(
            name=finding.name,
            ok=finding.ok,
            vital=finding.vital,
            latency_ms=round(finding.latency * 1000, 3),
            detail=finding.detail,
        )


class Readiness(Struct, frozen=True, kw_only=True):
    status: State
    dependencies: list[DependencyState]

    @classmethod
    def of(cls, health: Health) -> "Readiness":
        return cls(status=health.state, dependencies=[DependencyState.of(each) for each in health.findings])


@get("/health/live", operation_id="live", tags=["Operation"], summary="Whether the process answers at all")
async def live() -> Alive:
    return Alive()


@get(
    "/health/ready",
    operation_id="ready",
    tags=["Operation"],
    summary="Whether requests can be served, and how each dependency is",
    responses={503: ResponseSpec(Readiness, description="Something vital is away", generate_examples=False)},
)
@inject
async def ready(check: FromDishka[CheckHealth]) -> Response[Readiness]:
    health = await check()
    status = HTTPStatus.SERVICE_UNAVAILABLE if health.state is State.AWAY else HTTPStatus.OK
    return Response(Readiness.of(health), status_code=status, headers={"cache-control": "no-store"})


HANDLERS = [live, ready]
