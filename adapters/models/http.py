"""The one pool of connections to model endpoints.

aiohttp itself, not httpx: a call costs a third of the processor time of httpx over aiohttp's transport, and a
fifteenth of httpx over its own (ADR 0015).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO

import aiohttp
from yarl import URL

CONNECT_SECONDS = 5.0
IDLE_SECONDS = 60.0
_AT_ONCE = 1 << 20  # bytes that are written to the socket without yielding in between


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
        self._largest = largest
        self._opened: aiohttp.ClientSession | None = None

    async def post(self, url: URL, headers: Mapping[str, str], body: bytes) -> Answer:
        """Raises Unreachable and Unreadable. Without a deadline of its own, but for connecting."""
        try:
            async with self._session().post(
                url,
                data=body if len(body) < _AT_ONCE else BytesIO(body),
                headers=headers,
                allow_redirects=False,
            ) as response:
                return Answer(
                    response.status, response.headers.get("Retry-After"), await self._whole(response)
                )
        except (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
            raise Unreachable(type(error).__name__) from error
        except aiohttp.ClientError as error:
            raise Unreadable(type(error).__name__) from error

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()

    def _session(self) -> aiohttp.ClientSession:
        if self._opened is None:  # made at the first call, because it belongs to a running loop
            self._opened = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=IDLE_SECONDS),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS),
                auto_decompress=False,
            )
        return self._opened

    async def _whole(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length <= self._largest:
            return await response.read()
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._largest:
                raise Unreadable("too large")
        return bytes(body)
