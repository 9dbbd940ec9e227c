"""A model's service on this machine: OpenAI's chat completions over real HTTP, with faults on demand."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

import msgspec


@dataclass(frozen=True)
class Received:
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def prompt(self) -> str:
        prompt: str = self.body["messages"][-1]["content"]
        return prompt


BOUNDS = ("max_tokens", "max_completion_tokens")
Part = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def written(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> bytes:
    told = {"content-type": "application/json", "content-length": str(len(body)), **(headers or {})}
    lines = [f"HTTP/1.1 {status} Told", *(f"{name}: {value}" for name, value in told.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def completion(content: str | None, **changes: object) -> dict[str, Any]:
    """``changes`` go into the answer, or where it has no such member, into its only choice or its message."""
    message: dict[str, Any] = {"role": "assistant", "content": content}
    choice: dict[str, Any] = {"index": 0, "message": message, "finish_reason": "stop"}
    answer: dict[str, Any] = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "local",
        "choices": [choice],
        "usage": {"prompt_tokens": 20, "completion_tokens": 5, "total_tokens": 25},
    }
    for name, value in changes.items():
        place = next((each for each in (answer, choice) if name in each), message)
        place[name] = value
    return answer


def answers(body: object, *, status: int = 200, **headers: str) -> Part:
    """Bytes as they are, anything else as JSON; an underscore in a header's name is a hyphen."""
    content = body if isinstance(body, bytes) else msgspec.json.encode(body)

    async def play(_: Received, writer: asyncio.StreamWriter) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        writer.write(written(status, content, named))

    return play


def says(content: str | None, **changes: object) -> Part:
    return answers(completion(content, **changes))


def streams(
    *pieces: str,
    finish: str | None = "stop",
    refusal: str | None = None,
    usage: Mapping[str, int] | None = completion("")["usage"],
    gate: asyncio.Event | None = None,
    bytewise: bool = False,
) -> Part:
    """As server-sent events. Without ``finish`` it breaks off; ``gate`` keeps all but the first back."""
    deltas = [{"role": "assistant", "content": each} for each in pieces]
    deltas += [] if refusal is None else [{"refusal": refusal}]
    chunks: list[object] = [{"choices": [{"index": 0, "delta": each}]} for each in deltas]
    if finish is not None:
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
        chunks += [] if usage is None else [{"choices": [], "usage": usage}]
    events = [b"data: " + msgspec.json.encode(each) + b"\n\n" for each in chunks]
    events += [] if finish is None else [b": a comment\n", b"data: [DONE]\n\n"]

    async def play(_: Received, writer: asyncio.StreamWriter) -> None:
        length = sum(map(len, events))
        writer.write(written(200, b"", {"content-type": "text/event-stream", "content-length": str(length)}))
        for nth, event in enumerate(events):
            if nth == 1 and gate is not None:
                await gate.wait()
            for part in [event[at : at + 1] for at in range(len(event))] if bytewise else [event]:
                writer.write(part)
                await writer.drain()

    return play


async def echoes(received: Received, writer: asyncio.StreamWriter) -> None:
    """The prompt, cut to the bound of tokens at four bytes each."""
    bound = next(received.body[name] for name in BOUNDS if name in received.body)
    kept = received.prompt[: bound * 4]
    finish = "stop" if kept == received.prompt else "length"
    usage = {"prompt_tokens": -(-len(received.prompt) // 4), "completion_tokens": -(-len(kept) // 4)}
    writer.write(written(200, msgspec.json.encode(completion(kept, finish_reason=finish, usage=usage))))


async def hangs(_: Received, __: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def hangs_up(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.close()


async def breaks_off(_: Received, writer: asyncio.StreamWriter) -> None:
    """In the middle of its answer."""
    writer.write(written(200, msgspec.json.encode(completion("{}")))[:-20])
    writer.close()


def floods(size: int) -> Part:
    """In chunks, without saying how much there will be."""

    async def play(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        for _each in range(size // 0x8000):
            writer.write(b"8000\r\n" + b" " * 0x8000 + b"\r\n")
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    return play


async def babbles(_: Received, writer: asyncio.StreamWriter) -> None:
    writer.write(b"this is no HTTP\r\n\r\n")
    writer.close()


class Upstream:
    """Plays ``script`` to its end, a part for each request, and ``usual`` from then on."""

    def __init__(self, *script: Part, usual: Part = echoes) -> None:
        self.script = deque(script)
        self.usual = usual
        self.received: list[Received] = []
        self.arrived = asyncio.Event()
        self.url = ""
        self._serving: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        self.url = f"http://{host}:{port}/v1"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        try:
            while not writer.is_closing():
                received = await _read(reader)
                self.received.append(received)
                self.arrived.set()
                part = self.script.popleft() if self.script else self.usual
                await part(received, writer)
        except (asyncio.IncompleteReadError, asyncio.CancelledError, ConnectionError):
            pass
        finally:
            self._serving.discard(task)
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (each.partition(":") for each in head[1:-2])}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Received(head[0].split(" ")[1], headers, msgspec.json.decode(body))
