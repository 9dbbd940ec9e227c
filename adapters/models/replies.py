"""What comes of chat completions: an answer in one piece, or one that is streamed."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from adapters.models.http import Unreadable
from domain.features.tokens import BYTES_PER_TOKEN

Count = Annotated[int, msgspec.Meta(ge=0, le=10_000_000)]
_DATA, _END = b"data:", b"[DONE]"


class Usage(msgspec.Struct):
    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class Message(msgspec.Struct):
    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct):
    message: Message
    finish_reason: str | None = None


class Reply(msgspec.Struct):
    choices: Annotated[list[Choice], msgspec.Meta(min_length=1)]
    usage: Usage | None = None


class _Piece(msgspec.Struct):
    delta: Message = msgspec.field(default_factory=Message)
    finish_reason: str | None = None


class _Chunk(msgspec.Struct):
    choices: list[_Piece] = msgspec.field(default_factory=list)
    usage: Usage | None = None


_reply = msgspec.json.Decoder(Reply)
_chunk = msgspec.json.Decoder(_Chunk)


def reply_from(body: bytes) -> Reply:
    """Raises msgspec.DecodeError and RecursionError."""
    return _reply.decode(body)


class Stream:
    """Server-sent events of one answer, put together as they come.

    ``tell`` hears of every piece about how many output tokens there are so far. ``largest`` bounds the text,
    in bytes.
    """

    def __init__(self, tell: Callable[[int], None], largest: int) -> None:
        self._tell = tell
        self._largest = largest
        self._rest = b""
        self._content: list[str] = []
        self._refusal: list[str] = []
        self._bytes = 0
        self._finish: str | None = None
        self._usage: Usage | None = None
        self._ended = False

    def feed(self, part: bytes) -> None:
        """Raises Unreadable, msgspec.DecodeError and RecursionError."""
        *lines, self._rest = (self._rest + part).split(b"\n")
        for line in lines:
            if line.startswith(_DATA):
                self._read(line[len(_DATA) :].strip())

    @property
    def reply(self) -> Reply | None:
        """None where it broke off."""
        if not self._ended and self._finish is None:
            return None
        message = Message(
            content="".join(self._content) if self._content else None,
            refusal="".join(self._refusal) if self._refusal else None,
        )
        return Reply(choices=[Choice(message, self._finish)], usage=self._usage)

    def _read(self, data: bytes) -> None:
        if data == _END:
            self._ended = True
            return
        chunk = _chunk.decode(data)
        self._usage = chunk.usage or self._usage
        for piece in chunk.choices[:1]:
            self._finish = piece.finish_reason or self._finish
            if piece.delta.refusal:
                self._refusal.append(piece.delta.refusal)
            if piece.delta.content:
                self._content.append(piece.delta.content)
                self._bytes += len(piece.delta.content.encode())
                if self._bytes > self._largest:
                    raise Unreadable("too large")
                self._tell(-(-self._bytes // BYTES_PER_TOKEN))
