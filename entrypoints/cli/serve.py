import asyncio
import socket
import sys

import click
import msgspec

from entrypoints import settings
from entrypoints.cli.log import logged
from entrypoints.cli.services import asynchronous
from entrypoints.logging import Log
from entrypoints.server import listen, stop_on_signals
from entrypoints.settings import Settings
from entrypoints.supervisor import supervise
from migrations import schema


@click.command()
@click.option("--host", help="Instead of CUEBX_HOST.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Instead of CUEBX_PORT.")
@click.option("--workers", type=click.IntRange(1, 256), help="Server processes, instead of CUEBX_WORKERS.")
@click.option("--socket", "descriptor", type=int, hidden=True)
@click.option("--worker", type=int, default=0, hidden=True)
@asynchronous
async def serve(
    host: str | None, port: int | None, workers: int | None, descriptor: int | None, worker: int
) -> None:
    """Serve HTTP, as the environment says (see .env.example)."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    given = {name: value for name, value in (("host", host), ("port", port), ("workers", workers)) if value}
    here = msgspec.structs.replace(settings.load(serving=True), **given)
    with logged(here.log_level) as log:
        if descriptor is not None:
            _stop_with_supervisor(stop)
            await _serve(_of_worker(here, worker), socket.socket(fileno=descriptor), log, stop)
            return
        listener = await _begin(here)
        if here.workers == 1:
            await _serve(here, listener, log, stop)
        else:
            same = ["serve", "--host", here.host, "--port", str(here.port)]
            await supervise(same, listener, workers=here.workers, stop=stop, grace=here.shutdown_seconds)


async def _serve(here: Settings, listener: socket.socket, log: Log, stop: asyncio.Event) -> None:
    from entrypoints.process import answer, services_of  # noqa: PLC0415 - large, and no supervisor needs it

    async with services_of(here) as services:
        await answer(services, here, listener, log=log, stop=stop)


def _of_worker(here: Settings, worker: int) -> Settings:
    """Each process has a port of its own for scrapes."""
    if here.metrics_port is None:
        return here
    return msgspec.structs.replace(here, metrics_port=here.metrics_port + worker)


async def _begin(here: Settings) -> socket.socket:
    """What is checked once, before anything is served. Raises what is wrong."""
    await schema.require(here.database_url)
    listener = listen(here.host, here.port)
    click.echo(f"CueBX serves on http://{here.host}:{here.port}", err=True)
    return listener


def _stop_with_supervisor(stop: asyncio.Event) -> None:
    """It holds the other end of our standard input, and never writes."""
    loop = asyncio.get_running_loop()

    def gone() -> None:
        loop.remove_reader(sys.stdin.fileno())
        stop.set()

    loop.add_reader(sys.stdin.fileno(), gone)
