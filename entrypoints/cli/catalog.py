from collections import Counter
from pathlib import Path

import click
from dishka import AsyncContainer

from application.actor import Operator
from application.billing.prices import PublishForSale
from application.catalog.publish import PublishCatalog
from application.catalog.source import CatalogFaulty, CatalogUnreadable
from domain.billing.sold import PriceChange
from domain.catalog.publication import Change, Draft, Name
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
@click.option("--stripe", is_flag=True, help="At Stripe, too: products and prices of what is sold.")
@as_json
def publish(file: Path, *, dry_run: bool, stripe: bool, as_json: bool) -> None:
    """Make FILE the catalog, and say what that changes.

    What changed gets a new version; accounts stay on the version of their plan. What FILE leaves out is
    retired: nobody new gets it. Publishing the same again changes nothing.

    At Stripe each version of a plan has a price of its own, so that nobody's price is ever edited. Prices of
    earlier versions cannot be bought any more, and those who pay them go on to.
    """
    _publish(_read(file), dry_run=dry_run, stripe=stripe, as_json=as_json)


@with_services("publish_catalog")
async def _publish(
    services: AsyncContainer, draft: Draft, *, dry_run: bool, stripe: bool, as_json: bool
) -> None:
    if stripe:
        publish_for_sale = await services.get(PublishForSale)
        changes, prices = await publish_for_sale(Operator(), draft, dry_run=dry_run)
    else:
        changes, prices = await (await services.get(PublishCatalog))(draft, dry_run=dry_run), ()
    rows = [*map(_row, changes), *map(_price_row, prices)]
    show(rows, as_json=as_json, empty="")
    if not as_json:
        counted = Counter(str(each["outcome"]) for each in rows)
        summary = ", ".join(f"{count} {outcome}" for outcome, count in counted.items())
        click.echo(f"{summary}.{' Nothing was published: this was a dry run.' if dry_run else ''}")


def _price_row(change: PriceChange) -> dict[str, object]:
    sold = change.sold
    key = f"stripe:{sold.kind} {sold.product}/{sold.key}"
    return {"kind": "price", "key": key, "version": sold.version, "outcome": change.outcome}


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
