"""The end of a server: who is being answered is answered, and nothing goes on afterwards."""

import asyncio
import socket
from typing import Any

import pytest

from entrypoints.server import CannotListen, listen, serve


class Slow:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.let = asyncio.Event()
        self.told: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{event}"
                self.told.append(event)
                await send({"type": f"lifespan.{event}.complete"})
            return
        self.asked.set()
        try:
            await self.let.wait()
        except asyncio.CancelledError:
            self.told.append("cancelled")
            raise
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})


async def get(port: int) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: test\r\n\r\n")
    try:
        return await reader.readline()
    finally:
        writer.close()


def port_of(listener: socket.socket) -> int:
    return int(listener.getsockname()[1])


async def test_who_is_being_answered_is_answered_and_nobody_else_gets_in() -> None:
    slow, stop, listener = Slow(), asyncio.Event(), listen("127.0.0.1", 0)
    port = port_of(listener)
    serving = asyncio.create_task(serve(slow, listener, stop=stop, grace=30))
    answer = asyncio.create_task(get(port))
    await slow.asked.wait()
    stop.set()

    async def refused() -> None:
        while True:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()

    with pytest.raises((ConnectionRefusedError, ConnectionResetError)):
        await asyncio.wait_for(refused(), 10)
    assert not serving.done()
    slow.let.set()
    assert await answer == b"HTTP/1.1 204 No Content\r\n"
    await serving
    assert slow.told == ["startup", "shutdown"]


async def test_who_takes_too_long_is_cancelled() -> None:
    slow, stop, listener = Slow(), asyncio.Event(), listen("127.0.0.1", 0)
    serving = asyncio.create_task(serve(slow, listener, stop=stop, grace=0.1))
    answer = asyncio.create_task(get(port_of(listener)))
    await slow.asked.wait()
    stop.set()
    await asyncio.wait_for(serving, 10)
    assert slow.told == ["startup", "cancelled", "shutdown"]
    assert b"204" not in await answer


async def test_an_application_that_does_not_start_is_not_served() -> None:
    async def broken(_scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401 - ASGI
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no"})

    with pytest.raises(Exception, match="lifespan startup"):
        await asyncio.wait_for(serve(broken, listen("127.0.0.1", 0), stop=asyncio.Event(), grace=1), 10)


@pytest.mark.parametrize(
    ("host", "reason"),
    [("192.0.2.1", "cannot assign requested address"), ("nobody.invalid", "name"), ("::2", "address")],
)
def test_an_address_that_is_not_ours_is_told_in_one_line(host: str, reason: str) -> None:
    with pytest.raises(CannotListen, match=reason) as refused:
        listen(host, 8000)
    assert "\n" not in str(refused.value)
