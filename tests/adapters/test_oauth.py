"""Google and GitHub, as far as their documentation goes, by a stand-in over real HTTP."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Iterator
from hashlib import sha256
from typing import Any

import httpx
import pytest

from adapters.oauth.client import LARGEST
from adapters.oauth.github import GitHub
from adapters.oauth.google import Google
from adapters.oauth.providers import registered
from application.identity.elsewhere import Provider
from domain.identity.elsewhere import ElsewhereRefused, Proved, ProviderFailed, ProviderMissing
from tests.fakes.oauth_server import REGISTRATION, OAuthServer, oauth_server

VERIFIER = "v" * 43
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
GOOGLE = {"sub": "117", "email": "ada@example.org", "email_verified": True, "name": "Ada"}
USER: dict[str, Any] = {"id": 7, "login": "ada", "name": "Ada L."}
EMAILS = [
    {"email": "old@example.org", "primary": False, "verified": True},
    {"email": "ada@example.org", "primary": True, "verified": True},
]


@pytest.fixture
def server() -> Iterator[OAuthServer]:
    with oauth_server() as server:
        server.documents = {"/userinfo": GOOGLE, "/user": USER, "/emails": EMAILS}
        yield server


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=5) as http:
        yield http


def google(server: OAuthServer, http: httpx.AsyncClient) -> Google:
    return Google(http, REGISTRATION, server.google)


def github(server: OAuthServer, http: httpx.AsyncClient) -> GitHub:
    return GitHub(http, REGISTRATION, server.github)


async def identify(server: OAuthServer, provider: Provider, verifier: str = VERIFIER) -> Proved:
    code, state = server.consent(provider.authorization_url("the state", CHALLENGE))
    assert state == "the state"
    return await provider.identify(code, verifier)


async def test_google_says_who_it_is(server: OAuthServer, http: httpx.AsyncClient) -> None:
    proved = await identify(server, google(server, http))
    assert proved == Proved(provider="google", subject="117", email="ada@example.org", name="Ada")


async def test_github_says_who_it_is(server: OAuthServer, http: httpx.AsyncClient) -> None:
    proved = await identify(server, github(server, http))
    assert proved == Proved(provider="github", subject="7", email="ada@example.org", name="Ada L.")
    server.documents["/user"] = {**USER, "name": None}
    assert (await identify(server, github(server, http))).name == "ada"


async def test_an_address_that_was_not_verified_is_none(server: OAuthServer, http: httpx.AsyncClient) -> None:
    server.documents["/userinfo"] = {**GOOGLE, "email_verified": False}
    server.documents["/emails"] = [{**EMAILS[1], "verified": False}, EMAILS[0]]
    for provider in (google(server, http), github(server, http)):
        assert (await identify(server, provider)).email is None


@pytest.mark.parametrize("subject", ["", "\0", "x" * 256])
async def test_what_names_nobody_is_nobody(
    server: OAuthServer, http: httpx.AsyncClient, subject: str
) -> None:
    server.documents["/userinfo"] = {**GOOGLE, "sub": subject}
    with pytest.raises(ProviderFailed):
        await identify(server, google(server, http))


async def test_a_code_needs_its_verifier_and_works_once(server: OAuthServer, http: httpx.AsyncClient) -> None:
    provider = google(server, http)
    with pytest.raises(ElsewhereRefused):
        await identify(server, provider, "w" * 43)
    code, _ = server.consent(provider.authorization_url("s", CHALLENGE))
    await provider.identify(code, VERIFIER)
    with pytest.raises(ElsewhereRefused):
        await provider.identify(code, VERIFIER)


@pytest.mark.parametrize(
    ("fault", "refusal"),
    [
        ((400, b'{"error": "invalid_grant"}'), ElsewhereRefused),
        ((200, b'{"error": "bad_verification_code"}'), ElsewhereRefused),
        ((500, b"oops"), ProviderFailed),
        ((302, b""), ProviderFailed),
        ((200, b"<html>"), ProviderFailed),
        ((200, b'{"access_token": 7}'), ProviderFailed),
        ((200, b'{"access_token": "\xff"}'), ProviderFailed),
        ((200, b'{"x": ' + b"[" * 100_000), ProviderFailed),
        ((408, b"{}"), ProviderFailed),
        ((429, b"{}"), ProviderFailed),
        ((200, b" " * (LARGEST + 1)), ProviderFailed),
    ],
    ids=lambda each: str(each)[:40],
)
async def test_a_provider_that_does_not_answer_as_it_should(
    server: OAuthServer, http: httpx.AsyncClient, fault: tuple[int, bytes], refusal: type[Exception]
) -> None:
    server.fault = fault
    with pytest.raises(refusal):
        await identify(server, google(server, http))


async def test_a_provider_that_is_away_or_slow(server: OAuthServer, http: httpx.AsyncClient) -> None:
    provider = google(server, http)
    with oauth_server() as gone:
        away = Google(http, REGISTRATION, gone.google)
    with pytest.raises(ProviderFailed, match="google did not answer"):
        await away.identify("code", VERIFIER)
    http.timeout = httpx.Timeout(0.000001)
    with pytest.raises(ProviderFailed):
        await provider.identify("code", VERIFIER)


async def test_a_provider_that_answers_for_ever(server: OAuthServer, http: httpx.AsyncClient) -> None:
    """Each byte comes in time, and the whole never."""
    provider = google(server, http)
    http.timeout = httpx.Timeout(0.3)
    server.drips.set()
    with pytest.raises(ProviderFailed):
        await provider.identify("code", VERIFIER)


async def test_only_what_is_configured_is_there() -> None:
    app = (REGISTRATION.client_id, REGISTRATION.client_secret)
    async with registered({"github": app}, redirect_url="https://app.example/in") as providers:
        found = providers.get("github")
        assert found.name == "github"
        url = found.authorization_url("the state", CHALLENGE)
        assert "redirect_uri=https%3A%2F%2Fapp.example%2Fin%2Fgithub&" in url
        assert url.startswith("https://github.com/login/oauth/authorize?response_type=code&client_id=client&")
        assert REGISTRATION.client_secret not in url + repr(REGISTRATION)
        with pytest.raises(ProviderMissing):
            providers.get("google")
