"""What `cuebx dev` does once it has a port and a database."""

import asyncio
import os
import socket
from pathlib import Path

import click
import msgspec

from entrypoints import settings
from entrypoints.cli.demo import Facts, demo, known_demo, publish_sample
from entrypoints.cli.log import logged
from entrypoints.local import local_secret
from entrypoints.process import answer, background, services_of
from migrations import schema

_BANNER = """\
CueBX serves on {url} (its documentation: {url}/docs)

  workspace    {workspace_id}
  account      {account_id}
  live key     {live_key}
  test key     {test_key}
  service key  {service_key}
  database     {database_url}
  mails        {mails}
  all of this  {file}

Try it:

  curl -s {url}/v1/features/echo/runs \\
    -H 'Authorization: Bearer {live_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"input": {{"text": "Hello"}}}}'

Ctrl-C stops it."""


async def develop(listener: socket.socket, file: Path, database_url: str, stop: asyncio.Event) -> None:
    """Migrates, publishes, makes the demo if there is none, tells where things are, and serves."""
    here = _settings(database_url, file.parent)
    host, port = listener.getsockname()[:2]
    url = f"http://{host}:{port}"
    await schema.upgrade(database_url)
    with logged(here.log_level) as log:
        async with services_of(here) as services:
            await publish_sample(services)
            made = await demo(services, known_demo(file))
            facts = Facts.of(made, url=url, database_url=database_url)
            facts.write(file)
            click.echo(_BANNER.format(**msgspec.structs.asdict(facts), file=file, mails=here.mail_dir))
            async with asyncio.TaskGroup() as running:
                running.create_task(answer(services, here, listener, log=log, stop=stop))
                running.create_task(background(services, here, stop=stop))


def _settings(database_url: str, data: Path) -> settings.Settings:
    """Of the environment, what does not contradict the embedded profile: models, pool, log level."""
    ignored = {
        f"{settings.PREFIX}{name}"
        for name in ("REDIS_URL", "RABBITMQ_URL", "HOST", "PORT", "WORKERS", "METRICS_PORT")
    }
    given = {name: value for name, value in os.environ.items() if name not in ignored}
    own = {
        "DATABASE_URL": database_url,
        "PROFILE": settings.Profile.EMBEDDED,
        "SECRET": local_secret(data),
        "MAIL_DIR": str(data / "mail"),
    }
    return settings.load(given | {f"{settings.PREFIX}{name}": value for name, value in own.items()})
