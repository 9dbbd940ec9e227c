"""The one pool of connections to model endpoints: httpx over aiohttp.

Requests go straight to the transport, beneath a client's redirects, cookies, hooks and auth: none of them is
wanted here, and they take a third of the processor time of a call (ADR 0015).
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 60.0
# Without a deadline but for connecting: the whole call has one, which the caller keeps.
_TIMEOUT = {"timeout": httpx.Timeout(None, connect=CONNECT_SECONDS).as_dict()}
_AT_ONCE = 1 << 20  # bytes that are written to the socket without yielding in between
_PART = 1 << 16
_EVENTS = "text/event-stream"
_WRAPPED = 64  # what a stream wraps around the few letters of a token


class Unreachable(Exception):
    """There was no whole answer. Another attempt may get one."""


class Unreadable(Exception):
    """What came is no HTTP, or too much of it. Another attempt gets the same."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    retry_after: str | None
    body: bytes


class ModelHttp:
    """``connections`` is the most at one time, to all endpoints; who needs one more waits.

    Follows no redirect, keeps no cookie and reads no proxy from the environment: each of them would send
    an endpoint's key somewhere else. ``largest`` bounds the body of an answer, in bytes.
    """

    def __init__(self, *, connections: int = 200, largest: int = 8 << 20) -> None:
        self._connections = connections
        self.largest = largest
        self._transport = AiohttpTransport(client=self._session, trust_env=False)

    async def post(
        self,
        url: httpx.URL,
        headers: httpx.Headers,
        body: bytes,
        hear: Callable[[bytes], None] | None = None,
    ) -> Answer:
        """``hear`` gets the body of an answer that is streamed, as it comes; the answer is then without it.

        Raises Unreachable and Unreadable.
        """
        content: bytes | AsyncIterator[bytes] = body
        if len(body) > _AT_ONCE:
            content = _parts(body)
            headers = httpx.Headers([*headers.items(), ("Content-Length", str(len(body)))])
        request = httpx.Request("POST", url, headers=headers, content=content, extensions=_TIMEOUT)
        try:
            response = await self._transport.handle_async_request(request)
            try:
                whole = await self._whole(response, hear)
            finally:
                await response.aclose()
        except httpx.UnsupportedProtocol as error:
            raise Unreadable(type(error).__name__) from error
        except httpx.TransportError as error:
            raise Unreachable(type(error).__name__) from error
        except aiohttp.ClientError as error:  # the transport has no name for an answer that is no HTTP
            raise Unreadable(type(error).__name__) from error
        return Answer(response.status_code, response.headers.get("Retry-After"), whole)

    async def close(self) -> None:
        await self._transport.aclose()

    def _session(self) -> aiohttp.ClientSession:
        """Made at the first call, because it belongs to a running loop."""
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_SECONDS),
            cookie_jar=aiohttp.DummyCookieJar(),
        )

    async def _whole(self, response: httpx.Response, hear: Callable[[bytes], None] | None) -> bytes:
        streamed = hear is not None and response.headers.get("Content-Type", "").startswith(_EVENTS)
        body, size = bytearray(), 0
        async for chunk in response.aiter_raw():
            size += len(chunk)
            if size > (self.largest * _WRAPPED if streamed else self.largest):
                raise Unreadable("too large")
            if streamed and hear is not None:
                hear(chunk)
            else:
                body += chunk
        return bytes(body)


async def _parts(body: bytes) -> AsyncIterator[bytes]:
    for at in range(0, len(body), _PART):
        yield body[at : at + _PART]
