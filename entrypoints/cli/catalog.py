from collections import Counter
from pathlib import Path

import click
from dishka import AsyncContainer

from application.catalog.publish import PublishCatalog
from application.catalog.source import CatalogFaulty, CatalogUnreadable
from domain.catalog.publication import Change, Draft, Name, Outcome
from entrypoints import container
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show

_file = click.argument("file", type=click.Path(path_type=Path))


@click.group()
def catalog() -> None:
    """What is sold: products, plans and features, from a TOML file."""


@catalog.command()
@_file
def check(file: Path) -> None:
    """Say every fault of FILE, each with its line. Needs no database."""
    draft = _read(file)
    counts = {"product": len(draft.products), "plan": len(draft.plans), "feature": len(draft.features)}
    click.echo(
        f"{file} is in order: " + ", ".join(f"{n} {noun}{'s' * (n != 1)}" for noun, n in counts.items())
    )


@catalog.command()
@_file
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@as_json
def publish(file: Path, *, dry_run: bool, as_json: bool) -> None:
    """Make FILE the catalog, and say what that changes.

    What changed gets a new version; accounts stay on the version of their plan. What FILE leaves out is
    retired: nobody new gets it. Publishing the same again changes nothing.
    """
    _publish(_read(file), dry_run=dry_run, as_json=as_json)


@with_services("publish_catalog")
async def _publish(services: AsyncContainer, draft: Draft, *, dry_run: bool, as_json: bool) -> None:
    changes = await (await services.get(PublishCatalog))(draft, dry_run=dry_run)
    show([_row(each) for each in changes], as_json=as_json, empty="")
    if not as_json:
        counted = Counter(each.outcome for each in changes)
        summary = ", ".join(f"{counted[each]} {each}" for each in Outcome if counted[each])
        click.echo(f"{summary}.{' Nothing was published: this was a dry run.' if dry_run else ''}")


def _row(change: Change) -> dict[str, object]:
    name = Name.of(change.item)
    return {"kind": name.kind, "key": name.key, "version": change.item.version, "outcome": change.outcome}


def _read(file: Path) -> Draft:
    try:
        return container.check_catalog()(file)
    except CatalogUnreadable as error:
        raise click.ClickException(str(error)) from error
    except CatalogFaulty as error:
        click.echo(str(error))
        raise click.ClickException(
            f"{file} has {len(error.faults)} fault{'s' * (len(error.faults) != 1)}"
        ) from error
