"""What Prometheus is told of the requests, and where it asks.

Each process counts for itself, as adding up the counts of several costs each of them a write to shared files
with every count. Processes that share a port would answer a scrape by turns, so each of them also answers on
a port of its own (``serve_metrics``).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dishka import FromDishka
from litestar import Request, Response, get
from litestar.openapi.datastructures import ResponseSpec
from prometheus_client import CollectorRegistry, Counter, Histogram, start_http_server
from prometheus_client.exposition import choose_encoder

from entrypoints.http.inject import inject

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5, 10, 60)
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class HttpMetrics:
    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "cuebx_http_requests", "Requests answered.", ["method", "route", "status"], registry=registry
        )
        self._seconds = Histogram(
            "cuebx_http_request_seconds",
            "Time from a request to the end of its answer.",
            ["method", "route"],
            buckets=SECONDS,
            registry=registry,
        )
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """``route`` is a template, so that there are only so many."""
        known = self._known.get((method, route, status))
        if known is None:
            known = (self._requests.labels(method, route, status), self._seconds.labels(method, route))
            self._known[method, route, status] = known
        known[0].inc()
        known[1].observe(seconds)


@get(
    "/metrics",
    operation_id="metrics",
    tags=["Operation"],
    summary="Counts and times, for Prometheus",
    responses={
        200: ResponseSpec(
            str, description="Prometheus's text format", media_type="text/plain", generate_examples=False
        )
    },
)
@inject
async def metrics(
    request: Request[Any, Any, Any], registry: FromDishka[CollectorRegistry]
) -> Response[bytes]:
    encode, kind = choose_encoder(request.headers.get("accept", ""))
    return Response(encode(registry), headers={"content-type": kind, "cache-control": "no-store"})


@contextmanager
def serve_metrics(registry: CollectorRegistry, *, host: str, port: int) -> Iterator[int]:
    """Answer scrapes on a port of this process's own, from a thread, while the block lasts.

    Gives the port, which the system chooses where ``port`` is 0.
    """
    server, thread = start_http_server(port, host, registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
