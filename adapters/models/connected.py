from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from adapters.models.http import ModelHttp
from adapters.models.openai import Endpoint, OpenAIModel, SchemaBy
from application.features.ports import Model
from application.ports import Clock

__all__ = ["Endpoint", "SchemaBy", "connected"]


@asynccontextmanager
async def connected(
    endpoints: Mapping[str, Endpoint], clock: Clock, *, connections: int
) -> AsyncIterator[Mapping[str, Model]]:
    """The models behind endpoints, by alias, over one pool of ``connections``."""
    http = ModelHttp(connections=connections)
    try:
        yield {alias: OpenAIModel(http, each, clock) for alias, each in endpoints.items()}
    finally:
        await http.close()
