"""What `cuebx dev` does once it has a port and a database."""

import asyncio
import logging
import os
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import click
import msgspec
from dishka import AsyncContainer

from application.actor import Operator
from application.billing.prices import PublishPrices
from domain.errors import DomainError
from entrypoints import settings
from entrypoints.cli.demo import Facts, demo, known_demo, publish_sample
from entrypoints.cli.log import logged
from entrypoints.cli.stand_in import STATE, is_at_hand, stand_in
from entrypoints.local import local_secret
from entrypoints.process import answer, background, services_of
from migrations import schema

HIGHEST_PORT = 65_535
_log = logging.getLogger(__name__)
_BANNER = """\
CueBX serves on {url} (its documentation: {url}/docs)

  workspace    {workspace_id}
  account      {account_id}
  live key     {live_key}
  test key     {test_key}
  service key  {service_key}
  database     {database_url}
  mails        {mails}
  payments     {payments}
  all of this  {file}

Try it:

  curl -s {url}/v1/features/echo/runs \\
    -H 'Authorization: Bearer {live_key}' \\
    -H 'Content-Type: application/json' \\
    -d '{{"input": {{"text": "Hello"}}}}'

Ctrl-C stops it."""


async def develop(listener: socket.socket, file: Path, database_url: str, stop: asyncio.Event) -> None:
    """Migrates, publishes, makes the demo if there is none, tells where things are, and serves."""
    host, port = listener.getsockname()[:2]
    url = f"http://{host}:{port}"
    async with AsyncExitStack() as stack:
        payments = await _payments(stack, file.parent, port=port, url=url)
        here = _settings(database_url, file.parent, payments)
        await schema.upgrade(database_url)
        await _serve(here, listener, file, stop)


async def _payments(stack: AsyncExitStack, data: Path, *, port: int, url: str) -> Mapping[str, str]:
    """Settings of billing: the environment's own, or a stand-in for Stripe, if there is one."""
    if f"{settings.PREFIX}STRIPE_API_KEY" in os.environ:
        return {"BILLING_RETURN_URL": os.environ.get(f"{settings.PREFIX}BILLING_RETURN_URL", f"{url}/docs")}
    if not is_at_hand():
        return {}
    beside = port + 1 if port < HIGHEST_PORT else 0
    hook = f"{url}/v1/webhooks/stripe"
    there = await stack.enter_async_context(stand_in(data / STATE, port=beside, webhook_url=hook))
    return settings.stand_in(there, f"{url}/docs")


async def _serve(here: settings.Settings, listener: socket.socket, file: Path, stop: asyncio.Event) -> None:
    host, port = listener.getsockname()[:2]
    url, database_url = f"http://{host}:{port}", here.database_url
    with logged(here.log_level) as log:
        async with services_of(here) as services:
            await publish_sample(services)
            made = await demo(services, known_demo(file))
            facts = Facts.of(made, url=url, database_url=database_url, stripe_url=_stand_in_of(here))
            facts.write(file)
            shown = {"file": file, "mails": here.mail_dir, "payments": _told(here)}
            click.echo(_BANNER.format(**msgspec.structs.asdict(facts), **shown))
            async with asyncio.TaskGroup() as running:
                running.create_task(_sell(services, here))
                running.create_task(answer(services, here, listener, log=log, stop=stop))
                running.create_task(background(services, here, stop=stop))


def _told(here: settings.Settings) -> str:
    if here.stripe_api_key is None:
        return "none: there is no CUEBX_STRIPE_API_KEY"
    if here.stripe_api_key != settings.STAND_IN_KEY:
        return "Stripe"
    return f"{here.stripe_url} (a stand-in for Stripe: no money moves)"


def _stand_in_of(here: settings.Settings) -> str:
    """For commands that work beside this process. Nothing where there is none."""
    return here.stripe_url if here.stripe_api_key == settings.STAND_IN_KEY else ""


async def _sell(services: AsyncContainer, here: settings.Settings) -> None:
    """What the catalog sells can be bought at the stand-in. At Stripe itself, whoever owns it publishes."""
    if here.stripe_api_key == settings.STAND_IN_KEY:
        try:
            await (await services.get(PublishPrices))(Operator())
        except DomainError as error:
            _log.warning("the stand-in for Stripe sells nothing: %s", error.code)


def _settings(database_url: str, data: Path, payments: Mapping[str, str]) -> settings.Settings:
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
        **payments,
    }
    return settings.load(given | {f"{settings.PREFIX}{name}": value for name, value in own.items()})
