"""One server process, from its services to its last answer: what `cuebx serve` and `cuebx dev` share."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Collection
from contextlib import ExitStack, asynccontextmanager

import msgspec
from dishka import AsyncContainer
from litestar.serialization import encode_json
from prometheus_client import CollectorRegistry

from application.ports import NewId
from entrypoints import container
from entrypoints.http.app import create_app
from entrypoints.http.metrics import HttpMetrics, serve_metrics
from entrypoints.http.observability import Observability
from entrypoints.logging import Log
from entrypoints.queue.worker import chosen, work
from entrypoints.server import serve
from entrypoints.settings import Settings

__all__ = ["answer", "background", "chosen", "openapi_document", "scraped", "services_of"]


@asynccontextmanager
async def services_of(settings: Settings) -> AsyncIterator[AsyncContainer]:
    """Closing them ends the runs that go on without a caller, and writes what is still to be written."""
    services = container.build(settings)
    try:
        yield services
    finally:
        await services.close()


async def answer(
    services: AsyncContainer,
    settings: Settings,
    listener: socket.socket,
    *,
    log: Log,
    stop: asyncio.Event,
) -> None:
    """Serves HTTP until ``stop``, and returns when the last request is answered or given up."""
    registry = await services.get(CollectorRegistry)
    await container.listen(services)
    application = Observability(
        create_app(services), log=log, metrics=HttpMetrics(registry), new_id=await services.get(NewId)
    )
    gc.collect()
    gc.freeze()  # what is there now stays; a full collection would walk all of it, each time
    async with scraped(services, settings):
        await serve(application, listener, stop=stop, grace=settings.shutdown_seconds)


async def background(
    services: AsyncContainer,
    settings: Settings,
    *,
    stop: asyncio.Event,
    only: Collection[str] = (),
) -> None:
    """Acts on messages, and on the clock where no consumer is named, until ``stop``.

    Raises ConsumerMissing, BrokerClash.
    """
    from entrypoints.schedule.scheduler import schedule  # noqa: PLC0415 - large, and no server needs it

    grace = settings.shutdown_seconds
    gc.collect()
    gc.freeze()  # as a server does
    async with asyncio.TaskGroup() as working:
        working.create_task(work(services, stop=stop, grace=grace, only=only))
        if not only:
            working.create_task(schedule(services, stop=stop, grace=grace))


@asynccontextmanager
async def scraped(services: AsyncContainer, settings: Settings) -> AsyncIterator[None]:
    """Answers scrapes on a port of the process's own, where there is one, for the block."""
    with ExitStack() as opened:
        if settings.metrics_port is not None:
            registry = await services.get(CollectorRegistry)
            opened.enter_context(serve_metrics(registry, host=settings.host, port=settings.metrics_port))
        yield


def openapi_document() -> bytes:
    """Needs no database: nothing is opened before it is asked for."""
    application = create_app(container.build(Settings(database_url="postgresql://")))
    return msgspec.json.format(encode_json(application.openapi_schema.to_schema())) + b"\n"
