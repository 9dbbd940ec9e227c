"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header-07)."""

import re
from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar.params import HeaderParameter

from entrypoints.http.problems import Refusal

NAME = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
_TEXT = (
    'A string that is the client\'s own, new for each request, the same for its repeats: `"8e03978e-40d5"`'
)
# A String of RFC 9651 without escapes, as the draft asks for; bare, as most clients send it.
_PATTERN = r'^(?:"([\x20-\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255}))$'
_FORM = re.compile(_PATTERN.encode())
IdempotencyKey = Annotated[
    str, HeaderParameter(name=NAME, required=True, description=_TEXT, pattern=_PATTERN)
]
OptionalIdempotencyKey = Annotated[
    str | None, HeaderParameter(name=NAME, required=False, description=_TEXT, pattern=_PATTERN)
]

_encode = msgspec.json.Encoder().encode


def idempotency_key(value: bytes | None, *, required: bool) -> str | None:
    """The key. Raises Refusal (400, section 2.7) where there must be one, or where it has not the form."""
    if value is None:
        if required:
            raise Refusal(
                HTTPStatus.BAD_REQUEST, "idempotency_key_missing", f"this request needs the header {NAME}"
            )
        return None
    found = _FORM.fullmatch(value)
    if found is None:
        raise Refusal(
            HTTPStatus.BAD_REQUEST,
            "idempotency_key_malformed",
            f"{NAME} has 1 to 255 printable ASCII characters, in double quotes or without spaces",
        )
    return (found[1] or found[2]).decode()


def fingerprint(operation: str, body: msgspec.Struct) -> str:
    """The same for the same request, however its JSON was written."""
    return blake2b(_encode((operation, body)), digest_size=16).hexdigest()
