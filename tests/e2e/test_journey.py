"""From sign-up to the audit log, over HTTP alone, on a fresh start, with two processes on one database."""

import asyncio
import email
import email.policy
import re
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.cli.processes import answers, started
from tests.cli.test_dev import facts_of, up
from tests.servers import eventually, free_port, wait_for

PASSWORD = "a rather long password"  # noqa: S105
ESTIMATE = {"input_tokens": 125}
"""Of ``summarize``: a tenth of a credit."""
CLIENTS, TRIES, AFFORDABLE = 50, 2, 50


@dataclass(frozen=True)
class Place:
    """``first`` is `cuebx dev`, ``second`` another server on its database."""

    first: str
    second: str
    service_key: str
    mails: Path
    read: set[Path] = field(default_factory=set)

    def mail(self, address: str) -> str:
        """The code or token in the last mail to ``address``, once there is one that was not read yet."""
        found: list[str] = []

        def arrived() -> bool:
            found[:] = [text for file, text in self._mails(address) if file not in self.read]
            return bool(found)

        wait_for(arrived)
        self.read.update(file for file, _ in self._mails(address))
        return found[-1]

    def _mails(self, address: str) -> Iterator[tuple[Path, str]]:
        for file in sorted(self.mails.glob("*.eml")):
            message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            body = message.get_body(("plain",))
            text = "" if body is None else body.get_content()
            found = re.search(r"\b([0-9]{6}|cbx_inv_[0-9a-f]{64})\b", text)
            if message["To"] == address and found is not None:
                yield file, found[0]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, port = tmp_path_factory.mktemp("journey"), free_port()
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
            yield Place(facts["url"], second, facts["service_key"], data / "mail")
            serve.send_signal(signal.SIGTERM)
            assert serve.wait(30) == 0
        dev.send_signal(signal.SIGINT)
        assert dev.wait(30) == 0


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
