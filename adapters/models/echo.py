from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from adapters.models.sample import Sample
from application.features.ports import Model
from domain.credits import Quantity
from domain.features.run import Call, Completion, Finish
from domain.features.tokens import BYTES_PER_TOKEN, about_tokens

NAME = "echo"


class EchoModel(Model):
    """No model: it says the prompt back, in the form that the schema asks for. Deterministic, and free."""

    async def complete(self, call: Call) -> Completion:
        schema = _schema(call.schema)
        longest = call.max_output_tokens * BYTES_PER_TOKEN
        text = _written(schema, call.prompt, longest)
        while about_tokens(text) > call.max_output_tokens and longest:
            longest //= 2
            text = _written(schema, call.prompt, longest)
        tokens = about_tokens(text)
        finish = Finish.COMPLETE if tokens <= call.max_output_tokens else Finish.CUT_OFF
        usage = Quantity(
            input_tokens=about_tokens(call.prompt), output_tokens=min(tokens, call.max_output_tokens)
        )
        return Completion(text=text, finish=finish, model=NAME, usage=usage)


@lru_cache(maxsize=256)
def _schema(text: str) -> Mapping[str, Any]:
    schema: Mapping[str, Any] = msgspec.json.decode(text)
    return schema


def _written(schema: Mapping[str, Any], prompt: str, longest: int) -> str:
    return msgspec.json.encode(Sample(schema, prompt, longest).of(schema)).decode()
