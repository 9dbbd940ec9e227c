"""People sign up, confirm their address, sign in and out, over HTTP."""

import email
import email.policy
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dishka import AsyncContainer

from application import access
from entrypoints import container
from entrypoints.http.app import create_app
from entrypoints.http.client import client_address, read_networks
from tests.http.documented import is_documented
from tests.post_office import deliver
from tests.shop import embedded

GOOD = "a rather long password"
NEW = "quite another password"


@dataclass
class Town:
    http: httpx.AsyncClient
    mails: Path
    services: AsyncContainer
    ada: str = field(default_factory=lambda: f"{uuid4().hex}@example.org")

    async def post(self, path: str, token: str | None = None, /, **body: object) -> httpx.Response:
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        return await self.http.post(path, json=body, headers=headers)

    async def get(self, path: str, token: str) -> httpx.Response:
        return await self.http.get(path, headers={"Authorization": f"Bearer {token}"})

    async def patch(self, path: str, token: str, **body: object) -> httpx.Response:
        return await self.http.patch(path, json=body, headers={"Authorization": f"Bearer {token}"})

    async def delete(self, path: str, token: str) -> httpx.Response:
        return await self.http.delete(path, headers={"Authorization": f"Bearer {token}"})

    def mail(self) -> tuple[str, str]:
        """The last one's subject, and its code or token where it has one."""
        last = max(self.mails.iterdir())
        message = email.message_from_bytes(last.read_bytes(), policy=email.policy.default)
        found = re.search(r"\b([0-9]{6}|cbx_inv_[0-9a-f]{64})\b", _text(message))
        return message["Subject"], found[0] if found else ""

    async def neighbour(self, name: str) -> "Neighbour":
        """Somebody else, who has confirmed and signed in."""
        ada, self.ada = self.ada, f"{name}-{self.ada}"
        tokens = await self.resident()
        address, self.ada = self.ada, ada
        return Neighbour(address, tokens["access_token"], tokens["user_id"])

    async def resident(self) -> dict[str, Any]:
        """Ada, who has confirmed and signed in."""
        address = self.ada
        await self.post("/v1/auth/sign-up", email=address, password=GOOD, name="Ada")
        confirm = {"email": address, "code": self.mail()[1], "password": GOOD}
        assert (await self.post("/v1/auth/confirm", **confirm)).status_code == 200
        return await self.tokens()

    async def tokens(self, password: str = GOOD) -> dict[str, Any]:
        answer = await self.post("/v1/auth/sign-in", email=self.ada, password=password)
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        tokens: dict[str, Any] = answer.json()
        return tokens


def _text(message: email.message.EmailMessage) -> str:
    body = message.get_body(("plain",))
    text: str = "" if body is None else body.get_content()
    return text


@dataclass(frozen=True)
class Neighbour:
    email: str
    token: str
    id: str


async def post_office(services: AsyncContainer, mails: Path) -> Callable[[httpx.Response], Awaitable[None]]:
    """Delivers after each answer. Nothing is there yet of what other tests asked for."""
    await deliver(services)
    for each in list(mails.iterdir()):  # noqa: ASYNC240 - a few files
        each.unlink()

    async def delivered(_: httpx.Response) -> None:
        await deliver(services)

    return delivered


@pytest.fixture
async def town(sold_database: str, tmp_path: Path) -> AsyncIterator[Town]:
    services = container.build(embedded(sold_database, str(tmp_path)))
    app: Any = create_app(services)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    hooks = {"response": [is_documented, await post_office(services, tmp_path)]}
    async with httpx.AsyncClient(transport=transport, base_url="http://cuebx", event_hooks=hooks) as http:
        yield Town(http, tmp_path, services)
    await services.close()


async def test_a_journey_from_sign_up_to_sign_out(town: Town) -> None:
    answer = await town.post("/v1/auth/sign-up", email=town.ada, password=GOOD, name="Ada")
    assert (answer.status_code, answer.json()) == (202, {"detail": "look into your mailbox"})
    subject, code = town.mail()
    assert subject == f"Your code: {code}"
    refused = await town.post("/v1/auth/sign-in", email=town.ada, password=GOOD)
    assert (refused.status_code, refused.json()["code"]) == (401, "sign_in_refused")
    confirmed = await town.post("/v1/auth/confirm", email=town.ada, code=code, password=GOOD)
    tokens = await town.tokens()
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 600)
    assert tokens["user_id"] == confirmed.json()["user_id"]
    me = (await town.get("/v1/me", tokens["access_token"])).json()
    assert (me["email"], me["name"], me["user_id"]) == (town.ada, "Ada", tokens["user_id"])
    assert [each["role"] for each in me["workspaces"]] == ["owner"]
    assert (await town.post("/v1/auth/sign-out", tokens["access_token"])).status_code == 204
    refused = await town.post("/v1/auth/refresh", refresh_token=tokens["refresh_token"])
    assert refused.json()["code"] == "refresh_token_refused"


async def test_sign_up_says_the_same_to_whoever_has_an_account(town: Town) -> None:
    first = await town.post("/v1/auth/sign-up", email=town.ada, password=GOOD, name="Ada")
    await town.resident()
    again = await town.post("/v1/auth/sign-up", email=town.ada, password=NEW, name="Eve")
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert town.mail()[0] == "You have an account already"
    resent = await town.post("/v1/auth/resend", email="nobody@example.org")
    assert (resent.status_code, resent.content) == (202, first.content)
    await town.tokens()


async def test_a_refresh_token_works_once_and_then_ends_the_session(town: Town) -> None:
    first = await town.resident()
    second = (await town.post("/v1/auth/refresh", refresh_token=first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    for token in (first["refresh_token"], second["refresh_token"]):
        assert (await town.post("/v1/auth/refresh", refresh_token=token)).status_code == 401
    assert town.mail()[0] == "A session of yours was ended"


async def test_a_forgotten_password_is_set_anew(town: Town) -> None:
    await town.resident()
    assert (await town.post("/v1/auth/password-reset", email=town.ada)).status_code == 202
    subject, code = town.mail()
    assert subject == f"Your code for a new password: {code}"
    body = {"email": town.ada, "code": code, "password": NEW}
    assert (await town.post("/v1/auth/password-reset/confirm", **body)).status_code == 204
    assert (await town.post("/v1/auth/password-reset/confirm", **body)).json()["code"] == "code_refused"
    await town.tokens(password=NEW)


async def test_sessions_are_seen_and_ended(town: Town) -> None:
    one, two = await town.resident(), await town.tokens()
    token = one["access_token"]
    items = (await town.get("/v1/me/sessions", token)).json()["items"]
    assert sorted(each["current"] for each in items) == [False, True]
    other = next(each["id"] for each in items if not each["current"])
    assert (await town.delete(f"/v1/me/sessions/{other}", token)).status_code == 204
    assert (await town.delete(f"/v1/me/sessions/{other}", token)).status_code == 404
    assert (await town.post("/v1/auth/refresh", refresh_token=two["refresh_token"])).status_code == 401
    assert (await town.delete("/v1/me/sessions", token)).status_code == 204
    assert len((await town.get("/v1/me/sessions", token)).json()["items"]) == 1


async def test_a_changed_password_ends_the_other_sessions(town: Town) -> None:
    one, two = await town.resident(), await town.tokens()
    answer = await town.post("/v1/me/password", one["access_token"], current=GOOD, new=NEW)
    assert answer.status_code == 204
    assert (await town.post("/v1/auth/refresh", refresh_token=two["refresh_token"])).status_code == 401
    assert (await town.post("/v1/auth/refresh", refresh_token=one["refresh_token"])).status_code == 200


async def test_guessing_is_slowed_down_and_says_for_how_long(town: Town) -> None:
    await town.resident()
    statuses = []
    for _ in range(12):
        answer = await town.post("/v1/auth/sign-in", email=town.ada, password=NEW)
        statuses.append(answer.status_code)
    assert statuses == [401] * 9 + [429] * 3
    assert 0 < int(answer.headers["Retry-After"]) <= 900


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"email": "ada"}, "email_refused"),
        ({"password": "short"}, "password_refused"),
        ({"password": "passwordpassword"}, "password_refused"),
        ({"name": " "}, "name_refused"),
    ],
)
async def test_what_cannot_be_is_told(town: Town, changed: dict[str, str], code: str) -> None:
    body: dict[str, Any] = {"email": town.ada, "password": GOOD, "name": "Ada", **changed}
    answer = await town.post("/v1/auth/sign-up", None, **body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert list(town.mails.iterdir()) == []


async def test_keys_that_verify_are_published(town: Town) -> None:
    await town.resident()
    (key,) = (await town.http.get("/.well-known/jwks.json")).json()["keys"]
    assert (key["kty"], key["crv"]) == ("OKP", "Ed25519")
    assert "d" not in key


@pytest.mark.parametrize("credential", ["cbx_svc_x", "nonsense"])
async def test_another_credential_is_no_access_token(town: Town, credential: str) -> None:
    answer = await town.get("/v1/me", credential)
    needed = "access_token_needed" if credential.startswith("cbx_") else "access_token_refused"
    assert (answer.status_code, answer.json()["code"]) == (401, needed)


TRUSTED = read_networks("10.0.0.0/8, 2001:db8::/32")


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.9", [b"198.51.100.1"], "203.0.113.9"),
        ("10.0.0.1", [b"198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", [b"1.1.1.1, 198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", [b"198.51.100.1", b"2001:db8::7"], "198.51.100.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [b"nonsense"], "nonsense"),
        (None, [b"198.51.100.1"], ""),
    ],
)
def test_only_trusted_proxies_say_where_a_request_comes_from(
    peer: str | None, forwarded: list[bytes], address: str
) -> None:
    scope: Any = {
        "client": None if peer is None else (peer, 1),
        "headers": [(b"x-forwarded-for", each) for each in forwarded],
    }
    assert client_address(scope, TRUSTED) == address
    assert client_address(scope, ()) == (peer or "")


async def test_an_operation_without_a_row_is_refused(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    without = {name: rule for name, rule in access.TABLE.items() if name != "read_me"}
    monkeypatch.setattr(access, "TABLE", without)
    tokens = await town.resident()
    town.http.event_hooks = {}
    answer = await town.get("/v1/me", tokens["access_token"])
    assert (answer.status_code, answer.json()["code"]) == (403, "operation_denied")
