"""The part of OAuth 2.0 that is alike for all providers: a code for a token, a token for a document."""

import asyncio
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlencode

import httpx
import msgspec

from domain.identity.elsewhere import ElsewhereRefused, ProviderFailed

T = TypeVar("T")
LARGEST = 1024 * 1024
_OK, _MOVED, _REFUSED, _BROKEN = 200, 300, 400, 500
_LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


@dataclass(frozen=True, slots=True)
class Registration:
    """As the provider knows us."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_url: str


class _Token(msgspec.Struct):
    """GitHub answers 200 to what it refuses, with an ``error`` and without a token."""

    access_token: str | None = None


class OAuthClient:
    def __init__(self, provider: str, http: httpx.AsyncClient, registration: Registration) -> None:
        self._provider = provider
        self._http = http
        self._registration = registration

    def authorization_url(self, url: str, *, scope: str, state: str, challenge: str) -> str:
        """RFC 6749, section 4.1.1, and RFC 7636, section 4.3."""
        query = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": self._registration.redirect_url,
            "scope": scope,
            "state": state,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{url}?{urlencode(query)}"

    async def token(self, url: str, code: str, verifier: str) -> str:
        """Raises ElsewhereRefused, ProviderFailed. RFC 6749, section 4.1.3, and RFC 7636, section 4.5."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._registration.redirect_url,
            "client_id": self._registration.client_id,
            "client_secret": self._registration.client_secret,
            "code_verifier": verifier,
        }
        request = self._http.build_request("POST", url, data=form, headers={"Accept": "application/json"})
        token = (await self._send(request, _Token)).access_token
        if not token:
            raise ElsewhereRefused
        return token

    async def read(self, url: str, token: str, form: type[T]) -> T:
        """Raises ElsewhereRefused, ProviderFailed."""
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        return await self._send(self._http.build_request("GET", url, headers=headers), form)

    async def _send(self, request: httpx.Request, form: type[T]) -> T:
        try:
            # The client's timeout is for each part of an answer: one that drips would never end.
            async with asyncio.timeout(self._http.timeout.read):
                status, body = await self._whole(request)
        except (httpx.HTTPError, TimeoutError):
            raise ProviderFailed(self._provider) from None
        if _REFUSED <= status < _BROKEN and status not in _LATER:
            raise ElsewhereRefused
        if not _OK <= status < _MOVED:
            raise ProviderFailed(self._provider)
        try:
            return msgspec.json.decode(body, type=form)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ProviderFailed(self._provider) from None

    async def _whole(self, request: httpx.Request) -> tuple[int, bytes]:
        response = await self._http.send(request, stream=True)
        try:
            body = bytearray()
            async for part in response.aiter_bytes():
                body += part
                if len(body) > LARGEST:
                    raise ProviderFailed(self._provider)
        finally:
            await response.aclose()
        return response.status_code, bytes(body)
