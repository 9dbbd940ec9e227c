"""Around every request: its id, its line in the log, its counts."""

import logging
import re
from itertools import count
from time import perf_counter

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from application.ports import NewId
from entrypoints.http.metrics import METHODS, HttpMetrics
from entrypoints.http.problems import PROBLEM, TYPE, Problem
from entrypoints.logging import Facts, Log, current

logger = logging.getLogger(__name__)

# The route of a request that found none. Its path may hold anything, so it is not told.
UNMATCHED = "unmatched"
_HUNG_UP = 499  # what nginx counts a request as that nobody waited for
_SANE = re.compile(rb"[A-Za-z0-9._-]{1,64}")
_BROKEN = msgspec.json.encode(
    Problem(
        type=TYPE + "internal_error",
        title="Internal Server Error",
        status=500,
        detail="something went wrong on our side",
        code="internal_error",
    )
)


class Observability:
    """An ASGI application around another. Every request pays for it, so it does no more than it must.

    The id is the caller's ``X-Request-Id`` where that is a plain one, and goes back in the answer.
    Our own are a number after an id of this process.
    """

    def __init__(self, app: ASGIApp, *, log: Log, metrics: HttpMetrics, new_id: NewId) -> None:
        self._app = app
        self._log = log
        self._metrics = metrics
        process = new_id().hex
        self._own_ids = (f"req_{process}_{number:x}" for number in count())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        started = perf_counter()
        facts = Facts(self._request_id(scope))
        status = 0

        async def observed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", facts.request_id.encode())]
            await send(message)

        token = current.set(facts)
        try:
            await self._app(scope, receive, observed)
        except Exception:
            logger.exception("the application failed")
            if status:  # too late for another answer: the server breaks this one off
                raise
            await _break_down(observed)
        finally:
            current.reset(token)
            method = scope["method"] if scope["method"] in METHODS else "other"
            route = scope.get("path_template") or UNMATCHED
            seconds = perf_counter() - started
            self._metrics.request(method, route, status or _HUNG_UP, seconds)
            self._log.access(facts, method=method, route=route, status=status or _HUNG_UP, seconds=seconds)

    def _request_id(self, scope: Scope) -> str:
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                if _SANE.fullmatch(value) and b"cbx_" not in value:
                    return value.decode()
                break
        return next(self._own_ids)


async def _break_down(send: Send) -> None:
    headers = [(b"content-type", PROBLEM.encode()), (b"content-length", b"%d" % len(_BROKEN))]
    await send({"type": "http.response.start", "status": 500, "headers": headers})
    await send({"type": "http.response.body", "body": _BROKEN, "more_body": False})
