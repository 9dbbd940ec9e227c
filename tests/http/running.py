"""A whole server in this process: real sockets, real database, its own thread and loop."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass

import uvloop

from entrypoints.cli.demo import Demo, demo, publish_sample
from entrypoints.process import answer, services_of
from entrypoints.server import listen
from entrypoints.settings import Profile, Settings
from tests.http.logs import Stream, logging_to


@dataclass(frozen=True)
class Running:
    """``mine`` and ``other`` are two tenants, each with a million credits and keys."""

    url: str
    database: str
    mine: Demo
    other: Demo
    log: Stream


@contextmanager
def running(database: str) -> Iterator[Running]:
    stream = Stream()
    started: Future[Running] = Future()
    stop: Future[None] = Future()
    with logging_to(stream) as log:

        async def main() -> None:
            settings = Settings(database_url=database, profile=Profile.EMBEDDED, shutdown_seconds=2)
            async with services_of(settings) as services:
                await publish_sample(services)
                tenants = [await demo(services, None) for _ in range(2)]
                ended = asyncio.Event()
                listener = listen("127.0.0.1", 0)
                port = listener.getsockname()[1]
                serving = asyncio.create_task(answer(services, settings, listener, log=log, stop=ended))
                started.set_result(
                    Running(f"http://127.0.0.1:{port}", database, tenants[0], tenants[1], stream)
                )
                await asyncio.wait((asyncio.wrap_future(stop), serving), return_when=asyncio.FIRST_COMPLETED)
                ended.set()
                await serving

        def run() -> None:
            try:
                uvloop.run(main())
            except BaseException as error:
                if started.done():
                    raise
                started.set_exception(error)

        thread = threading.Thread(target=run, name="server")
        thread.start()
        try:
            yield started.result(timeout=60)
        finally:
            stop.set_result(None)
            thread.join()
