"""From sign-up to the audit log, over HTTP alone, on a fresh start, with two processes on one database."""

import asyncio
import email
import email.policy
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest

from adapters.embedded.postgres import EmbeddedPostgres
from tests.cli.processes import answers, started
from tests.cli.test_dev import facts_of, up
from tests.conftest import renamed, run_sql
from tests.e2e.conftest import SOLD
from tests.fakes.brevo_server import API_KEY, brevo_server
from tests.rabbit_node import rabbit_node, rabbitmq_is_installed
from tests.redis_servers import valkey
from tests.servers import eventually, free_port, serving, wait_for, worker
from tests.shop import SECRET, Shop, services_on

PASSWORD = "a rather long password"  # noqa: S105
ESTIMATE = {"input_tokens": 125}
"""Of ``summarize``: a tenth of a credit."""
CLIENTS, TRIES, AFFORDABLE = 50, 2, 50
CODE = re.compile(r"\b([0-9]{6}|cbx_inv_[0-9a-f]{64})\b")


@dataclass(frozen=True)
class Place:
    """Two servers on one database, and whoever works for them. ``mailbox``: all mails to an address."""

    first: str
    second: str
    service_key: str
    mailbox: Callable[[str], Sequence[str]]
    read: Counter[str] = field(default_factory=Counter)

    def mail(self, address: str) -> str:
        """The code or token in the last mail to ``address``, once there is one that was not read yet."""
        found: list[str] = []

        def arrived() -> bool:
            texts = (
                re.search(r"\b([0-9]{6}|cbx_inv_[0-9a-f]{64})\b", text) for text in self.mailbox(address)
            )
            found[:] = [text[0] for text in texts if text is not None]
            return len(found) > self.read[address]

        wait_for(arrived)
        self.read[address] = len(found)
        return found[-1]


def files_in(folder: Path) -> Callable[[str], Sequence[str]]:
    def mailbox(address: str) -> Sequence[str]:
        texts = []
        for file in sorted(folder.glob("*.eml")):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))
            if message["To"] == address and body is not None:
                texts.append(str(body.get_content()))
        return texts

    return mailbox


@contextmanager
def embedded_place(folder: Path) -> Iterator[Place]:
    """`cuebx dev`, and another server on its database."""
    port = free_port()
    other = folder / "other"
    other.mkdir()
    data = folder / ".cuebx"
    with started("dev", "--port", "0", folder=folder) as dev:
        wait_for(lambda: dev.poll() is not None or up(data))
        assert dev.poll() is None, (folder / "err").read_text()
        facts = facts_of(data)
        given = {
            "CUEBX_DATABASE_URL": facts["database_url"],
            "CUEBX_PROFILE": "embedded",
            "CUEBX_DATA": str(data),
            "CUEBX_PORT": str(port),
        }
        with started("serve", folder=other, **given) as serve:
            second = f"http://127.0.0.1:{port}"
            wait_for(lambda: serve.poll() is not None or answers(second))
            assert serve.poll() is None, (other / "err").read_text()
            yield Place(facts["url"], second, facts["service_key"], files_in(data / "mail"))
            serve.send_signal(signal.SIGTERM)
            assert serve.wait(30) == 0
        dev.send_signal(signal.SIGINT)
        assert dev.wait(30) == 0


@contextmanager
def standard_place(folder: Path, server: EmbeddedPostgres) -> Iterator[Place]:
    """Two servers and two workers, as in production: Redis, RabbitMQ, and a stand-in for Brevo."""
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(server.url, f"CREATE DATABASE {name} TEMPLATE {SOLD}"))
    database = renamed(server.url, name)
    node = folder / "rabbit"
    node.mkdir()
    with valkey() as redis, rabbit_node(node) as rabbit, brevo_server() as brevo, ExitStack() as stack:
        settings: dict[str, Any] = {
            "profile": "standard",
            "redis_url": redis.url,
            "rabbitmq_url": rabbit.url,
            "secret": SECRET,
            "brevo_api_key": API_KEY,
            "brevo_url": brevo.url,
            "mail_from": "CueBX <mail@example.com>",
            "model_default_url": "http://127.0.0.1:1/v1",
            "model_default_name": "none",
        }
        servers = [
            stack.enter_context(serving(database, folder / f"server-{each}.log", **settings)) for each in "ab"
        ]
        for name in "cd":
            stack.enter_context(worker(database, folder / f"worker-{name}.log", **settings))
        for each in servers:
            each.wait_until_ready()

        async def service_key() -> str:
            async with services_on(database) as services:
                return (await Shop(services).service_key()).text

        def mailbox(address: str) -> Sequence[str]:
            return [str(each["textContent"]) for each in brevo.to(address)]

        key = asyncio.run(service_key())
        yield Place(servers[0].url, servers[1].url, key, mailbox)
        assert [each.terminate() for each in servers] == [0, 0]


@pytest.fixture(scope="module", params=["embedded", *(["standard"] if rabbitmq_is_installed() else [])])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("journey")
    if request.param == "embedded":
        with embedded_place(folder) as place:
            yield place
        return
    with standard_place(folder, request.getfixturevalue("durable_server")) as place:
        yield place


class Browser:
    """Somebody at one of the servers."""

    def __init__(self, http: httpx.AsyncClient, token: str = "") -> None:
        self.http = http
        self.token = token

    async def ask(self, method: str, path: str, expected: int, **body: object) -> Any:  # noqa: ANN401 - JSON
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        json = body if method in {"POST", "PATCH"} else None
        answer = await self.http.request(method, path, json=json, headers=headers)
        assert answer.status_code == expected, (method, path, answer.text)
        return answer.json() if answer.content else None

    async def sign_up(self, place: Place, name: str) -> str:
        """Its address."""
        address = f"{name}-{uuid4().hex}@example.org"
        given = {"email": address, "password": PASSWORD}
        await self.ask("POST", "/v1/auth/sign-up", 202, **given, name=name)
        await self.ask("POST", "/v1/auth/sign-in", 401, **given)
        await self.ask("POST", "/v1/auth/confirm", 200, **given, code=place.mail(address))
        self.token = (await self.ask("POST", "/v1/auth/sign-in", 200, **given))["access_token"]
        return address


@pytest.fixture
async def first(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=place.first, timeout=30) as http:
        yield http


@pytest.fixture
async def second(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=place.second, timeout=30) as http:
        yield http


async def spend(http: httpx.AsyncClient, place: Place, secret: str) -> str:
    """As the seller's service: what became of a call of a tenth of a credit by ``secret``."""
    headers = {"Authorization": f"Bearer {place.service_key}", "Idempotency-Key": uuid4().hex}
    body = {"api_key": secret, "feature": "summarize", "estimate": ESTIMATE}
    reserved = await http.post("/v1/reservations", json=body, headers=headers)
    if reserved.status_code != 201:
        return str(reserved.json()["code"])
    path = f"/v1/reservations/{reserved.json()['id']}/commit"
    committed = await http.post(path, json={"usage": ESTIMATE}, headers=headers)
    assert committed.json()["charged"] == "0.1", committed.text
    return "charged"


async def test_the_whole_way(place: Place, first: httpx.AsyncClient, second: httpx.AsyncClient) -> None:
    olga, ivan = Browser(first), Browser(second)
    await olga.sign_up(place, "olga")
    address = await ivan.sign_up(place, "ivan")

    team = await olga.ask("POST", "/v1/workspaces", 201, name="Acme")
    path = f"/v1/workspaces/{team['id']}"
    await ivan.ask("GET", path, 404)
    await olga.ask("POST", f"{path}/invitations", 201, email=address, role="admin")
    accepted = await ivan.ask("POST", "/v1/invitations/accept", 200, token=place.mail(address))
    assert accepted["role"] == "admin"

    async def inside() -> bool:
        headers = {"Authorization": f"Bearer {ivan.token}"}
        return (await second.get(path, headers=headers)).is_success

    await eventually(inside, within=2)
    account = team["accounts"][0]["id"]
    limits = [{"period": "total", "amount": "5"}]
    made = await ivan.ask("POST", f"{path}/keys", 201, name="CI", account_id=account, limits=limits)
    key = f"{path}/keys/{made['key']['id']}"

    async def client(number: int) -> list[str]:
        http = (first, second)[number % 2]
        return [await spend(http, place, made["secret"]) for _ in range(TRIES)]

    outcomes = Counter(chain.from_iterable(await asyncio.gather(*map(client, range(CLIENTS)))))
    assert outcomes == {"charged": AFFORDABLE, "spend_limit_reached": CLIENTS * TRIES - AFFORDABLE}
    (limit,) = (await olga.ask("GET", f"{path}/limits", 200))["items"]
    assert (limit["amount"], limit["spent"], limit["held"]) == ("5", "5", "0")

    rotated = await ivan.ask("POST", f"{key}/rotate", 200, grace_seconds=3600)
    for secret in (made["secret"], rotated["secret"]):
        assert await spend(second, place, secret) == "spend_limit_reached", "it works, and stays one key"

    await olga.ask("DELETE", key, 200)
    revoked_at = monotonic()

    async def refused() -> bool:
        return await spend(second, place, rotated["secret"]) == "api_key_revoked"

    await eventually(refused, within=1)
    assert monotonic() - revoked_at < 1
    assert await spend(second, place, made["secret"]) == "api_key_revoked"

    log = (await olga.ask("GET", f"{path}/audit-log", 200))["items"]
    assert [each["action"] for each in reversed(log)] == [
        *("workspace.created", "invitation.sent", "member.joined"),
        *("key.created", "limit.set", "key.rotated", "key.revoked"),
    ]
    me = (await olga.ask("GET", "/v1/me", 200))["user_id"]
    assert (log[0]["user_id"], log[0]["address"]) == (me, "127.0.0.1")
    assert made["secret"] not in str(log)
