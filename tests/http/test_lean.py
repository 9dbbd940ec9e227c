"""How the hot endpoints read a request, without Litestar's own way."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from dishka import AsyncContainer, FromDishka
from litestar.params import JSONBody

from application.access import OperationDenied
from application.usage.ports import Ledger
from entrypoints.http.app import create_app
from entrypoints.http.bodies import LARGEST_BODY
from entrypoints.http.lean import Nothing, Reply, lean_post
from tests.shop import ESTIMATE, FEATURE, Seller, Tenant, services_on

PATH = "/v1/reservations"
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Raw:
    """An application, asked in the server's own terms."""

    app: Any
    key: str

    async def post(self, messages: Sequence[Message], **headers: str) -> tuple[int, dict[str, Any]]:
        coming = iter(messages)
        sent: list[Message] = []

        async def receive() -> Message:
            return next(coming)

        async def send(message: Message) -> None:
            sent.append(message)

        given = {
            "authorization": f"Bearer {self.key}",
            "idempotency-key": "x",
            "content-type": "application/json",
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        }
        await self.app(scope, receive, send)
        start, body = sent
        return start["status"], json.loads(body["body"])


def parts(*bodies: bytes) -> list[Message]:
    last = len(bodies) - 1
    return [{"type": "http.request", "body": b, "more_body": n < last} for n, b in enumerate(bodies)]


@pytest.fixture
def raw(services: AsyncContainer, seller: Seller) -> Raw:
    return Raw(create_app(services), seller.key)


def asked(tenant: Tenant) -> bytes:
    return json.dumps({"api_key": tenant.live, "feature": FEATURE, "estimate": ESTIMATE}).encode()


async def test_a_body_may_come_in_pieces(raw: Raw, tenant: Tenant) -> None:
    body = asked(tenant)
    status, answer = await raw.post(parts(body[:10], b"", body[10:20], body[20:]))
    assert (status, answer["held"]) == (201, "2")


async def test_a_request_that_breaks_off_does_nothing(raw: Raw, seller: Seller, tenant: Tenant) -> None:
    begun = {"type": "http.request", "body": asked(tenant), "more_body": True}
    status, answer = await raw.post([begun, {"type": "http.disconnect"}])
    assert (status, answer["code"]) == (400, "client_disconnected")
    assert (await seller.reserve(tenant)).json()["available"] == "998"


async def test_a_body_is_measured_whatever_is_said_of_its_length(raw: Raw) -> None:
    half = b" " * (LARGEST_BODY // 2)
    status, answer = await raw.post(parts(half, half, b" "), content_length="2")
    assert (status, answer["code"]) == (413, "body_too_large")


async def test_a_body_of_the_largest_size_is_read(raw: Raw, tenant: Tenant) -> None:
    status, answer = await raw.post(parts(asked(tenant).ljust(LARGEST_BODY)))
    assert (status, answer["held"]) == (201, "2")


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON", "application/json;"])
async def test_json_may_be_announced_in_several_ways(raw: Raw, tenant: Tenant, kind: str) -> None:
    status, _ = await raw.post(parts(asked(tenant)), content_type=kind)
    assert status == 201


@pytest.mark.parametrize("kind", ["", "text/plain", "application/jsonp", "application/problem+json"])
async def test_nothing_but_json_is_read(raw: Raw, tenant: Tenant, kind: str) -> None:
    status, answer = await raw.post(parts(asked(tenant)), content_type=kind)
    assert (status, answer["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"api_key":"\\ud800"}'])
async def test_what_is_not_json_is_told_so(raw: Raw, body: bytes) -> None:
    status, answer = await raw.post(parts(body))
    assert (status, answer["code"]) == (400, "malformed_json")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (None, 200, None),
        (b"{}", 200, None),
        (b'{"a": 1}', 422, "invalid_request"),
        (b"[]", 422, "invalid_request"),
        (b"nonsense", 400, "malformed_json"),
    ],
)
async def test_an_operation_without_a_body_takes_an_empty_one(
    seller: Seller, tenant: Tenant, body: bytes | None, status: int, code: str | None
) -> None:
    id = await seller.reserved(tenant)
    answer = await seller.http.post(
        f"{PATH}/{id}/start",
        content=body,
        headers={"Authorization": f"Bearer {seller.key}", "Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_who_asks_is_told_before_what_is_wrong_with_it(http: httpx.AsyncClient) -> None:
    answer = await http.post(PATH, content=b"nonsense")
    assert answer.status_code == 401


async def test_two_applications_of_one_process_share_nothing(
    raw: Raw, sold_database: str, tenant: Tenant
) -> None:
    async with services_on(sold_database) as others:
        status, first = await Raw(create_app(others), raw.key).post(parts(asked(tenant)))
        assert status == 201
    status, again = await raw.post(parts(asked(tenant)))  # the other one's database is closed by now
    assert (status, again) == (201, first)


def test_an_operation_that_is_not_in_the_table_is_not_made() -> None:
    async def open_to_all(data: JSONBody[Nothing], ledger: FromDishka[Ledger]) -> Reply[Nothing]:
        raise AssertionError(data, ledger)

    with pytest.raises(OperationDenied, match="open_to_all is not for this credential"):
        lean_post("/", tag="Open", refuses=())(open_to_all)
