import click
from dishka import AsyncContainer

from application.actor import Operator
from application.billing.reconcile import Reconcile
from domain.billing.drift import Drift, Remedy
from domain.ids import account_text
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show


@click.group()
def billing() -> None:
    """What Stripe has, and what CueBX made of it."""


@billing.command()
@click.option("--apply", is_flag=True, help="Put right what a machine can.")
@as_json
def reconcile(*, apply: bool, as_json: bool) -> None:
    """Compare every subscription, seat count, invoice and lot on both sides.

    Exits with 1 where they differ, unless all of it was put right.
    """
    _reconcile(apply=apply, as_json=as_json)


@with_services("reconcile_billing")
async def _reconcile(services: AsyncContainer, *, apply: bool, as_json: bool) -> None:
    use = await services.get(Reconcile)
    drifts = await use(Operator(), apply=apply)
    show([_row(each) for each in drifts], as_json=as_json, empty="No drift: both books agree.")
    if apply and drifts:
        drifts = await use(Operator())
        click.echo(f"{len(drifts)} left.", err=True)
    if drifts:
        mendable = sum(each.remedy is not Remedy.BY_HAND for each in drifts)
        hint = f"; --apply puts {mendable} right" if mendable and not apply else ""
        places = "1 place" if len(drifts) == 1 else f"{len(drifts)} places"
        raise click.ClickException(f"the books differ in {places}{hint}")


def _row(drift: Drift) -> dict[str, object]:
    return {
        "kind": drift.kind,
        "account": None if drift.account is None else account_text(drift.account),
        "about": drift.about,
        "here": drift.here,
        "stripe": drift.there,
        "remedy": drift.remedy,
    }
