"""Around every request: its id, its line in the log, its counts."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath
from litestar.types import Message, Receive, Scope, Send
from prometheus_client import CollectorRegistry

from domain.ids import WorkspaceId, workspace_text
from entrypoints.http.metrics import HttpMetrics
from entrypoints.http.observability import Observability
from entrypoints.logging import Log, current, note
from tests.http.logs import Stream, logging_to

WORKSPACE = WorkspaceId(uuid4())


class Broken(Exception):
    pass


@get("/things/{name:str}")
async def thing(name: FromPath[str]) -> str:
    note(workspace=WORKSPACE)
    return name


async def fails(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise Broken


async def fails_late(_scope: Scope, _receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    raise Broken


async def waits_for_ever(_scope: Scope, _receive: Receive, _send: Send) -> None:
    await asyncio.Event().wait()


class Server:
    def __init__(self, log: Log, stream: Stream) -> None:
        self.log = log
        self.stream = stream
        self.registry = CollectorRegistry()
        self.metrics = HttpMetrics(self.registry)
        self.app: Any = Litestar([thing], openapi_config=None, logging_config=None)

    async def ask(
        self, path: str, *, method: str = "GET", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        app: Any = Observability(self.app, log=self.log, metrics=self.metrics, new_id=uuid4)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.request(method, path, headers=headers)

    @property
    def lines(self) -> list[dict[str, Any]]:
        self.log.close()
        return self.stream.lines

    def counted(self, method: str, route: str, status: int) -> float | None:
        labels = {"method": method, "route": route, "status": str(status)}
        return self.registry.get_sample_value("cuebx_http_requests_total", labels)


@pytest.fixture
def server() -> Iterator[Server]:
    stream = Stream()
    with logging_to(stream) as log:
        yield Server(log, stream)


async def test_every_request_has_an_id_of_its_own(server: Server) -> None:
    server.app = Observability(server.app, log=server.log, metrics=server.metrics, new_id=uuid4)
    ids = {(await server.ask("/things/a")).headers["x-request-id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(each.startswith("req_") for each in ids)


@pytest.mark.parametrize("given", ["8e03978e-40d5-43e8-bc93-6894a57f9324", "a", "x" * 64])
async def test_a_plain_request_id_of_the_caller_is_kept(server: Server, given: str) -> None:
    answer = await server.ask("/things/a", headers={"X-Request-Id": given})
    assert answer.headers["x-request-id"] == given
    assert server.lines[0]["request_id"] == given


@pytest.mark.parametrize(
    "given", ["", "x" * 65, "a b", 'a"b', "cbx_live_abc", "ü".encode("latin-1").decode("latin-1")]
)
async def test_any_other_request_id_is_replaced(server: Server, given: str) -> None:
    app: Any = Observability(server.app, log=server.log, metrics=server.metrics, new_id=uuid4)
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        answer = await client.get("/things/a", headers=[(b"X-Request-Id", given.encode("latin-1"))])
    assert answer.headers["x-request-id"].startswith("req_")


async def test_a_request_leaves_one_line_that_names_its_route_and_not_its_path(server: Server) -> None:
    await server.ask("/things/secret?token=secret")
    (line,) = server.lines
    assert (line["method"], line["route"], line["status"]) == ("GET", "/things/{name}", 200)
    assert line["workspace"] == workspace_text(WORKSPACE)
    assert line["duration_ms"] > 0
    assert "secret" not in server.stream.text


async def test_a_path_that_leads_nowhere_is_neither_logged_nor_counted_by_its_name(server: Server) -> None:
    await server.ask("/nowhere/secret")
    await server.ask("/things/a", method="BREW")
    assert [line["route"] for line in server.lines] == ["unmatched", "unmatched"]
    assert server.counted("GET", "unmatched", 404) == 1
    assert server.counted("other", "unmatched", 405) == 1


async def test_requests_are_counted_and_timed_by_route(server: Server) -> None:
    await server.ask("/things/a")
    await server.ask("/things/b")
    assert server.counted("GET", "/things/{name}", 200) == 2
    labels = {"method": "GET", "route": "/things/{name}"}
    assert server.registry.get_sample_value("cuebx_http_request_seconds_count", labels) == 2


async def test_an_application_that_fails_is_answered_for_and_its_failure_logged_once(server: Server) -> None:
    server.app = fails
    answer = await server.ask("/things/a", headers={"X-Request-Id": "mine"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-request-id"] == "mine"
    assert answer.json()["code"] == "internal_error"
    failure, line = server.lines
    assert "Broken" in failure["exception"]
    assert (failure["request_id"], line["request_id"]) == ("mine", "mine")
    assert (line["level"], line["status"]) == ("error", 500)


async def test_an_answer_that_fails_half_way_is_broken_off(server: Server) -> None:
    server.app = fails_late
    with pytest.raises(Broken):
        await server.ask("/things/a")
    assert [line["event"] for line in server.lines] == ["the application failed", "request"]


async def test_a_request_that_nobody_waits_for_any_more_is_logged(server: Server) -> None:
    server.app = waits_for_ever
    asking = asyncio.create_task(server.ask("/things/a"))
    await asyncio.sleep(0)
    while not asking.done():
        asking.cancel()
        await asyncio.sleep(0)
    assert [line["status"] for line in server.lines] == [499]
    assert current.get() is None


async def test_what_is_no_request_passes_through(server: Server) -> None:
    seen: list[str] = []

    async def lifespan(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    async def nothing(*_: Message) -> Any:  # noqa: ANN401 - stands in for both directions
        raise AssertionError

    app = Observability(lifespan, log=server.log, metrics=server.metrics, new_id=uuid4)
    scope: Any = {"type": "lifespan"}
    await app(scope, nothing, nothing)
    assert seen == ["lifespan"]
    assert server.lines == []
