import asyncio

import click

from entrypoints import settings
from entrypoints.cli.log import logged
from entrypoints.cli.services import asynchronous
from entrypoints.server import stop_on_signals
from migrations import schema


@click.command()
@click.option("--only", multiple=True, metavar="NAME", help="This consumer alone; may be given again.")
@asynchronous
async def worker(only: tuple[str, ...]) -> None:
    """Act on what was committed, mails and queued runs, and on the clock. Run as many as you like."""
    from entrypoints import container  # noqa: PLC0415 - large, and the command line is to be quick
    from entrypoints.process import background, chosen, scraped, services_of  # noqa: PLC0415

    chosen(only)
    stop = asyncio.Event()
    stop_on_signals(stop)
    here = settings.load(serving=True)
    await schema.require(here.database_url)
    with logged(here.log_level):
        async with services_of(here) as services:
            await container.listen(services)
            click.echo(f"CueBX works on {', '.join(each.name for each in chosen(only))}", err=True)
            async with scraped(services, here):
                await background(services, here, stop=stop, only=only)
