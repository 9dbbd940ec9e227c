"""A model endpoint that answers at once: the fastest thing an adapter can speak to. Its own process.

``POST .../chat/completions`` gets a completion with the content given on the command line; anything else gets
``{}``, for no work at all, so it is also what the load generator's ceiling is measured on.

    python -m tests.bench.upstream PORT [CONTENT]
"""

import asyncio
import sys
from typing import cast

import msgspec
import uvloop

from tests.bench.load import content_length


def answer(body: object) -> bytes:
    payload = msgspec.json.encode(body)
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


def completion(content: str) -> dict[str, object]:
    message = {"role": "assistant", "content": content}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": "bench",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 40, "completion_tokens": 12, "total_tokens": 52},
    }


class Endpoint(asyncio.Protocol):
    """Reads one request at a time, as HTTP/1.1 clients without pipelining send them."""

    transport: asyncio.WriteTransport

    def __init__(self, chat: bytes, other: bytes) -> None:
        self.chat = chat
        self.other = other
        self.buffer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self.buffer = data = self.buffer + data if self.buffer else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        head = data[:end]
        if len(data) >= end + 4 + (content_length(head) or 0):
            self.buffer = b""
            self.transport.write(self.chat if b"/chat/completions" in head else self.other)


async def serve(port: int, content: str) -> None:
    chat, other = answer(completion(content)), answer({})
    server = await asyncio.get_running_loop().create_server(lambda: Endpoint(chat, other), "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    port, *content = sys.argv[1:]
    uvloop.run(serve(int(port), content[0] if content else "{}"))


if __name__ == "__main__":
    main()
