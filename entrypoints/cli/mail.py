from pathlib import Path

import click
from dishka import AsyncContainer

from application.notifications.suppressions import Suppressions
from domain.email import Email
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import EMAIL

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def mail() -> None:
    """Mails: look at them, and at the addresses that get none."""


@mail.command()
@click.option("--to", "folder", type=FOLDER, default="mail-preview", show_default=True)
def preview(folder: Path) -> None:
    """Write every mail, filled with samples, as HTML and as text, with a page that leads to them."""
    from entrypoints.previews import write_previews  # noqa: PLC0415 - large, and only this command needs it

    click.echo(f"Open {write_previews(folder)}")


@mail.command()
@click.option("--after", type=EMAIL, help="Only those behind this address.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@as_json
@with_services("list_suppressions")
async def suppressions(services: AsyncContainer, *, after: Email | None, limit: int, as_json: bool) -> None:
    """Addresses that get no more mail, as theirs bounced or their owners complained."""
    found = await (await services.get(Suppressions)).page(after=after and after.key, limit=limit)
    rows = [{"email": each.email, "reason": each.reason, "at": each.at} for each in found]
    show(rows, as_json=as_json, empty="There are none.")


@mail.command()
@click.argument("address", type=EMAIL)
@as_json
@with_services("allow_address")
async def allow(services: AsyncContainer, address: Email, *, as_json: bool) -> None:
    """Let mail go to ADDRESS again."""
    removed = await (await services.get(Suppressions)).remove(address.key)
    show_one({"email": address.key, "was_suppressed": removed}, as_json=as_json)
