import asyncio
import os
from contextlib import closing
from pathlib import Path

import click
import msgspec

from entrypoints import settings
from entrypoints.cli.demo import Facts, demo, known_demo, publish_sample
from entrypoints.cli.services import asynchronous
from entrypoints.embedded import embedded_postgres
from entrypoints.process import answer, logged, services_of
from entrypoints.server import listen, stop_on_signals
from migrations import schema

HOST = "127.0.0.1"

_BANNER = """\
CueBX serves on {url} (its documentation: {url}/docs)

  workspace    {workspace_id}
  account      {account_id}
  live key     {live_key}
  test key     {test_key}
  service key  {service_key}
  database     {database_url}
  all of this  {file}

Try it:

  curl -s {url}/v1/features/echo/runs \\
    -H 'Authorization: Bearer {live_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"input": {{"text": "Hello"}}}}'

Ctrl-C stops it."""


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
    here = _settings()
    file = data / "dev.json"
    with closing(listen(HOST, port)) as listener, logged(here) as log:
        url = f"http://{HOST}:{listener.getsockname()[1]}"
        async with embedded_postgres(data, anew=reset) as database_url:
            here = msgspec.structs.replace(here, database_url=database_url)
            await schema.upgrade(database_url)
            async with services_of(here) as services:
                await publish_sample(services)
                made = await demo(services, None if reset else known_demo(file))
                facts = Facts.of(made, url=url, database_url=database_url)
                facts.write(file)
                click.echo(_BANNER.format(**msgspec.structs.asdict(facts), file=file))
                await answer(services, here, listener, log=log, stop=stop)


def _settings() -> settings.Settings:
    """Of the environment, what does not contradict the embedded profile: models, pool, log level."""
    ignored = {
        f"{settings.PREFIX}{name}" for name in ("REDIS_URL", "HOST", "PORT", "WORKERS", "METRICS_PORT")
    }
    given = {name: value for name, value in os.environ.items() if name not in ignored}
    own = {"DATABASE_URL": "postgresql://", "PROFILE": settings.Profile.EMBEDDED}
    return settings.load(given | {f"{settings.PREFIX}{name}": value for name, value in own.items()})
