"""Sign-in by Google over HTTP, with a stand-in for Google and a cookie as a browser keeps it."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

import adapters.oauth.providers
from adapters.oauth.google import Google
from entrypoints import container
from entrypoints.http.app import create_app
from tests.fakes.oauth_server import OAuthServer, oauth_server
from tests.http.documented import is_documented
from tests.http.test_identity import GOOD, Town, post_office
from tests.shop import embedded

PATH = "/v1/auth/elsewhere/google"
COOKIE = "__Host-cuebx-elsewhere"


@pytest.fixture
def google() -> Iterator[OAuthServer]:
    with oauth_server() as server:
        yield server


@pytest.fixture
async def town(
    sold_database: str, tmp_path: Path, google: OAuthServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Town]:
    known = {"google": partial(Google, endpoints=google.google)}
    monkeypatch.setattr(adapters.oauth.providers, "KNOWN", known)
    settings = replace(
        embedded(sold_database, str(tmp_path)),
        oauth_redirect_url="https://app.example/signed-in",
        google_client_id="client",
        google_client_secret="very secret",  # noqa: S106
    )
    services = container.build(settings)
    app: Any = create_app(services)
    hooks = {"response": [is_documented, await post_office(services, tmp_path)]}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="https://cuebx", event_hooks=hooks) as http:
        yield Town(http, tmp_path, services)
    await services.close()


def says(google: OAuthServer, email: str, subject: str = "117") -> None:
    google.documents["/userinfo"] = {"sub": subject, "email": email, "email_verified": True, "name": "Ada"}


async def begin(town: Town, google: OAuthServer) -> dict[str, str]:
    begun = await town.post(PATH)
    assert begun.status_code == 200, begun.text
    cookie = begun.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert cookie.endswith("; Max-Age=600; Path=/; Secure; HttpOnly; SameSite=Lax")
    code, state = google.consent(begun.json()["authorization_url"])
    return {"code": code, "state": state}


async def test_somebody_signs_in_and_is_known_the_next_time(town: Town, google: OAuthServer) -> None:
    says(google, town.ada, town.ada)
    first = await town.post(f"{PATH}/finish", **await begin(town, google))
    assert first.status_code == 200, first.text
    assert f"{COOKIE}=; Max-Age=0" in first.headers["set-cookie"]
    assert first.headers["cache-control"] == "no-store"
    again = await town.post(f"{PATH}/finish", **await begin(town, google))
    assert again.json()["user_id"] == first.json()["user_id"]
    token = again.json()["access_token"]
    me = (await town.get("/v1/me", token)).json()
    assert (me["email"], me["name"]) == (town.ada, "Ada")
    linked = (await town.get("/v1/me/identities", token)).json()["items"]
    assert [each["provider"] for each in linked] == ["google"]
    last = await town.delete("/v1/me/identities/google", token)
    assert (last.status_code, last.json()["code"]) == (409, "last_way_in")
    assert (await town.delete("/v1/me/identities/github", token)).json()["code"] == "identity_missing"


async def test_a_resident_is_told_that_an_account_was_linked(town: Town, google: OAuthServer) -> None:
    user = (await town.resident())["user_id"]
    says(google, town.ada, town.ada)
    linked = await town.post(f"{PATH}/finish", **await begin(town, google))
    assert linked.json()["user_id"] == user
    assert town.mail()[0] == "You can sign in with google now"


async def test_another_browser_cannot_finish_it(town: Town, google: OAuthServer) -> None:
    says(google, town.ada)
    brought = await begin(town, google)
    town.http.cookies.clear()
    refused = await town.post(f"{PATH}/finish", **brought)
    assert (refused.status_code, refused.json()["code"]) == (401, "elsewhere_refused")
    mine = await begin(town, google)
    mixed = await town.post(f"{PATH}/finish", code=brought["code"], state=mine["state"])
    assert mixed.json()["code"] == "elsewhere_refused", "its verifier is not for that code"


@pytest.mark.parametrize(
    "other", ["a@b=1", "a(b)=c", 'cart={"a": 1}', "no value", "path=/", "\u00e9=1", "a=\x01", "=;;", ""]
)
async def test_other_cookies_of_the_site_are_no_matter(town: Town, google: OAuthServer, other: str) -> None:
    says(google, town.ada, town.ada)
    brought = await begin(town, google)
    cookies = f"{other}; {COOKIE}={town.http.cookies.get(COOKIE)}; z=1"
    town.http.cookies.clear()
    for kept, status in ((other, 401), (cookies, 200)):
        headers = [(b"cookie", kept.encode())]
        answer = await town.http.post(f"{PATH}/finish", json=brought, headers=headers)
        assert answer.status_code == status, answer.text


async def test_of_two_who_finish_at_once_for_one_address_one_account_comes(
    town: Town, google: OAuthServer
) -> None:
    says(google, town.ada, town.ada)
    one = await begin(town, google)
    kept = town.http.cookies.get(COOKIE)
    two = await begin(town, google)
    headers = [{"Cookie": f"{COOKIE}={each}"} for each in (kept, town.http.cookies.get(COOKIE))]
    town.http.cookies.clear()
    answers = await asyncio.gather(
        *(
            town.http.post(f"{PATH}/finish", json=brought, headers=header)
            for brought, header in zip((one, two), headers, strict=True)
        )
    )
    assert [each.status_code for each in answers] == [200, 200], [each.text for each in answers]
    assert len({each.json()["user_id"] for each in answers}) == 1
    assert list(town.mails.iterdir()) == [], "it is new: nothing was linked to what was there before"


async def test_who_signed_up_with_an_address_not_theirs_gets_nothing_of_it(
    town: Town, google: OAuthServer
) -> None:
    await town.post("/v1/auth/sign-up", email=town.ada, password=GOOD, name="Mallory")
    _, code = town.mail()
    says(google, town.ada, town.ada)
    tokens = (await town.post(f"{PATH}/finish", **await begin(town, google))).json()
    me = (await town.get("/v1/me", tokens["access_token"])).json()
    assert (me["email"], me["name"]) == (town.ada, "Ada")
    assert [each["role"] for each in me["workspaces"]] == ["owner"]
    confirm = await town.post("/v1/auth/confirm", email=town.ada, code=code, password=GOOD)
    assert confirm.json()["code"] == "code_refused"
    signed_in = await town.post("/v1/auth/sign-in", email=town.ada, password=GOOD)
    assert signed_in.json()["code"] == "sign_in_refused"


async def test_what_goes_wrong_is_told(town: Town, google: OAuthServer) -> None:
    says(google, "")
    unverified = await town.post(f"{PATH}/finish", **await begin(town, google))
    assert (unverified.status_code, unverified.json()["code"]) == (403, "address_not_verified")
    brought = await begin(town, google)
    google.fault = (500, b"")
    failed = await town.post(f"{PATH}/finish", **brought)
    assert (failed.status_code, failed.json()["code"]) == (502, "provider_failed")
    missing = await town.post("/v1/auth/elsewhere/github")
    assert (missing.status_code, missing.json()["code"]) == (404, "provider_missing")
