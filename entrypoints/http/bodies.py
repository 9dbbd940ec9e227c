"""A request's body: read whole, up to a bound, and decoded strictly."""

from http import HTTPStatus
from typing import Any, TypeVar

import msgspec
from litestar.types import Receive

from entrypoints.http.auth import Headers
from entrypoints.http.problems import Refusal

LARGEST_BODY = 1024 * 1024
T = TypeVar("T")


async def read_body(receive: Receive) -> bytes:
    """The whole body. Raises Refusal where it is too large.

    That one is still taken in, up to a bound: a client that is sending hears an answer only afterwards.
    """
    parts, size, more = [], 0, True
    while more and size <= LARGEST_BODY * 16:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Refusal(HTTPStatus.BAD_REQUEST, "client_disconnected", "the request broke off")
        part = message.get("body", b"")
        size += len(part)
        if size <= LARGEST_BODY:
            parts.append(part)
        more = message.get("more_body", False)
    if size > LARGEST_BODY:
        detail = f"a body has at most {LARGEST_BODY} bytes"
        raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", detail)
    return b"".join(parts)


def decode_body(decoder: msgspec.json.Decoder[T], headers: Headers, body: bytes) -> T:
    kind = headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
    if kind != b"application/json":
        raise Refusal(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "send Content-Type: application/json"
        )
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise Refusal(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid_request", str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_json", f"the body is not JSON: {error}") from None
