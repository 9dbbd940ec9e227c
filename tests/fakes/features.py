"""Features for tests, and models that do as they are told."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from application.features.ports import Model, Tell
from application.ports import Clock
from domain.catalog.feature import Feature, OnTimeout
from domain.credits import PICO, Price, Quantity
from domain.features.run import Call, Completion, Finish

TEXT_IN: Mapping[str, object] = {
    "type": "object",
    "properties": {"text": {"type": "string", "maxLength": 1000}},
    "required": ["text"],
    "additionalProperties": False,
}
PRICE = Price(per_call=PICO, per_output_token=PICO // 10)
"""A credit for a call, a tenth for an output token."""


def a_feature(**changes: Any) -> Feature:  # noqa: ANN401 - any of its fields
    fields: dict[str, Any] = {
        "key": "echo",
        "version": 1,
        "price_version": 1,
        "name": "Echo",
        "description": "",
        "price": PRICE,
        "model": "default",
        "prompt": "Say: {{ input.text }}",
        "max_output_tokens": 100,
        "timeout": 20,
        "units_from": None,
        "on_timeout": OnTimeout.RELEASE,
        "input_schema": TEXT_IN,
        "output_schema": TEXT_IN,
    }
    return Feature(**{**fields, **changes})


def said(text: str, *, finish: Finish = Finish.COMPLETE, tokens: int | None = 10) -> Completion:
    usage = None if tokens is None else Quantity(input_tokens=3, output_tokens=tokens)
    return Completion(text=text, finish=finish, model="scripted", usage=usage)


@dataclass
class ScriptedModel(Model):
    """Says ``answer``, or raises it, once the gate is open; ``said`` tokens of it before."""

    answer: Completion | BaseException
    calls: list[Call] = field(default_factory=list)
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    said: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    async def complete(self, call: Call, tell: Tell | None = None) -> Completion:
        self.calls.append(call)
        if tell is not None:
            tell(self.said)
        self.asked.set()
        await self.gate.wait()
        if isinstance(self.answer, BaseException):
            raise self.answer
        return self.answer


@dataclass
class SetClock(Clock):
    time: datetime = datetime(2026, 11, 1, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.time

    def pass_by(self, **units: float) -> None:
        self.time += timedelta(**units)
