"""An adapter for a model's service, and the service that it speaks to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from _pytest.mark.structures import ParameterSet

from adapters.models.http import ModelHttp
from adapters.models.openai import Endpoint, OpenAIModel
from domain.features.run import Call, Completion
from tests.fakes.features import SetClock
from tests.fakes.upstream import Part, Upstream

KEY = "sk-very-secret"
LARGEST = 100_000
"""Bytes that it reads of an answer."""


def cases(**named: object) -> list[ParameterSet]:
    return [
        pytest.param(*(each if isinstance(each, tuple) else (each,)), id=name) for name, each in named.items()
    ]


@dataclass
class Setting:
    """``pauses`` is what it did instead of sleeping."""

    http: ModelHttp
    upstream: Upstream
    clock: SetClock = field(default_factory=SetClock)
    pauses: list[float] = field(default_factory=list)

    def model(self, **changes: object) -> OpenAIModel:
        endpoint = Endpoint(**{"base_url": self.upstream.url, "model": "local", "api_key": KEY, **changes})  # type: ignore[arg-type] # as many as a test wants
        return OpenAIModel(self.http, endpoint, self.clock, sleep=self._pause)

    async def complete(self, call: Call, *script: Part) -> Completion:
        self.upstream.script.extend(script)
        return await self.model().complete(call)

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@asynccontextmanager
async def a_setting() -> AsyncIterator[Setting]:
    http = ModelHttp(largest=LARGEST)
    async with Upstream() as upstream:
        yield Setting(http, upstream)
        await http.close()
