import click

from entrypoints import settings
from entrypoints.cli.services import asynchronous, facts_file
from migrations import schema


@click.group()
def db() -> None:
    """The schema of the database."""


@db.command()
@asynchronous
async def upgrade() -> None:
    """Bring the database to the schema of this version."""
    url = settings.load(local=facts_file()).database_url
    missing = await schema.missing(url)
    await schema.upgrade(url)
    for revision in missing:
        click.echo(f"done: {revision}")
    click.echo("the database is up to date")


@db.command()
@asynchronous
async def check() -> None:
    """Say how the database differs from the schema of this version; exit 1 if it does."""
    drift = await schema.drift(settings.load(local=facts_file()).database_url)
    for revision in drift.revisions:
        click.echo(f"missing: {revision}", err=True)
    for statement in drift.statements:
        click.echo(f"different: {statement}", err=True)
    if drift.revisions:
        raise click.ClickException("the database is behind: run `cuebx db upgrade`")
    if drift.statements:
        raise click.ClickException("somebody changed the database by hand: the above would mend it")
    click.echo("the database is up to date")
