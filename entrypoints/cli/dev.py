import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from entrypoints.cli.services import asynchronous
from entrypoints.cli.stand_in import STATE
from entrypoints.embedded import embedded_postgres
from entrypoints.server import listen, stop_on_signals

HOST = "127.0.0.1"


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True, help="0: any.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    default=".cuebx",
    show_default=True,
    envvar="CUEBX_DATA",
    help="Where everything is kept.",
)
@click.option("--reset", is_flag=True, help="Forget everything that is kept there, first.")
@asynchronous
async def dev(port: int, data: Path, *, reset: bool) -> None:
    """Run CueBX here, with a database, a catalog and a workspace to try."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    with closing(listen(HOST, port)) as listener:
        async with embedded_postgres(data, anew=reset, meanwhile=_load) as database_url:
            if reset:
                await asyncio.to_thread(partial((data / STATE).unlink, missing_ok=True))
            await _load()(listener, data / "dev.json", database_url, stop)


def _load() -> Callable[..., Awaitable[None]]:
    from entrypoints.cli.development import develop  # noqa: PLC0415 - large: loaded while the database starts

    return develop
