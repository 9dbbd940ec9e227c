"""JSON in columns: msgspec, because it writes and reads our dataclasses without a mapping by hand."""

from typing import Any

import msgspec

_encoder = msgspec.json.Encoder()


def encode_json(value: object) -> str:
    return _encoder.encode(value).decode()


def decode_json(text: str) -> Any:  # noqa: ANN401 - a column's JSON may be anything
    return msgspec.json.decode(text)
