from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

import msgspec

from adapters.models.sample import Sample
from application.features.ports import Model, Tell
from domain.credits import Quantity
from domain.features.run import Call, Completion, Finish
from domain.features.tokens import BYTES_PER_TOKEN, about_tokens

NAME = "echo"


class EchoModel(Model):
    """No model: it says the input's longest text back, in the form that the schema asks for. Deterministic.

    It keeps to the bound of output tokens by saying less.
    """

    async def complete(self, call: Call, tell: Tell | None = None) -> Completion:  # noqa: ARG002 - all at once
        schema, said = _schema(call.schema), _longest_text(call.document)
        longest = call.max_output_tokens * BYTES_PER_TOKEN
        text = _written(schema, said, longest)
        while about_tokens(text) > call.max_output_tokens and longest:
            longest //= 2
            text = _written(schema, said, longest)
        tokens = about_tokens(text)
        return Completion(
            text=text,
            finish=Finish.COMPLETE if tokens <= call.max_output_tokens else Finish.CUT_OFF,
            model=NAME,
            usage=Quantity(
                input_tokens=about_tokens(call.prompt),
                output_tokens=min(tokens, call.max_output_tokens),
            ),
        )


@lru_cache(maxsize=256)
def _schema(text: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = msgspec.json.decode(text)
    return schema


def _written(schema: Mapping[str, Any], said: str, longest: int) -> str:
    return msgspec.json.encode(Sample(schema, said, longest).of(schema)).decode()


def _longest_text(document: Mapping[str, object]) -> str:
    """The first of them, where several are as long; the document itself where there is none."""
    return max(_texts(document), key=len, default="") or msgspec.json.encode(document).decode()


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
