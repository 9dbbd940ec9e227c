from datetime import datetime

import click
from dishka import AsyncContainer

from application.actor import Operator
from application.usage.grants import GrantByHand
from application.usage.parking import ListParked, ParkAccount, UnparkAccount
from domain.credits import format_credits
from domain.ids import AccountId, account_text, lot_text, workspace_text
from domain.usage.account import Account
from domain.usage.lot import NEVER, Source
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import ACCOUNT, CREDITS, INSTANT, LINE

GRANTED_BY_HAND = [Source.TOP_UP.value, Source.PROMOTION.value, Source.ADJUSTMENT.value]


@click.group()
def accounts() -> None:
    """Credits of workspaces: give them, park and unpark accounts."""


@accounts.command(context_settings={"ignore_unknown_options": True})  # so that "-5" is an amount, and refused
@click.argument("account", type=ACCOUNT)
@click.argument("amount", type=CREDITS)
@click.option("--source", type=click.Choice(GRANTED_BY_HAND), default=Source.TOP_UP.value, show_default=True)
@click.option("--expires", type=INSTANT, help="When what is left of it is void: a day or an instant.")
@click.option("--priority", type=click.IntRange(0, 1000), help="What burns first: the lower number.")
@click.option("--reference", type=LINE, help="The same reference grants once, however often it is tried.")
@as_json
@with_services("grant_credits")
async def grant(
    services: AsyncContainer,
    account: AccountId,
    amount: int,
    *,
    source: str,
    expires: datetime | None,
    priority: int | None,
    reference: str | None,
    as_json: bool,
) -> None:
    """Give an ACCOUNT an AMOUNT of credits, such as 1000 or 12.5."""
    granted = await (await services.get(GrantByHand))(
        Operator(),
        account,
        source=Source(source),
        amount=amount,
        reference=reference,
        priority=priority,
        expires_at=expires or NEVER,
    )
    lot = granted.lot
    row = {
        "lot_id": lot_text(lot.id),
        "account_id": account_text(account),
        "source": lot.source,
        "granted": format_credits(lot.granted),
        "expires_at": None if lot.expires_at == NEVER else lot.expires_at,
        "available": format_credits(granted.available),
        "granted_before": granted.replayed,
    }
    show_one(row, as_json=as_json)


def _row(account: Account) -> dict[str, object]:
    return {
        "account_id": account_text(account.id),
        "workspace_id": workspace_text(account.workspace),
        "plan": str(account.plan),
        "parked": account.parked,
    }


@accounts.command()
@as_json
@with_services("list_parked")
async def parked(services: AsyncContainer, *, as_json: bool) -> None:
    """Accounts that may not spend, since when, and why."""
    rows = [
        {
            "account_id": account_text(each.account),
            "workspace_id": workspace_text(each.workspace),
            "parked_at": each.at,
            "reason": each.reason,
        }
        for each in await (await services.get(ListParked))(Operator())
    ]
    show(rows, as_json=as_json, empty="No account is parked.")


@accounts.command()
@click.argument("account", type=ACCOUNT)
@click.option("--reason", type=LINE, required=True, help="For the audit log.")
@as_json
@with_services("park_account")
async def park(services: AsyncContainer, account: AccountId, *, reason: str, as_json: bool) -> None:
    """Stop an ACCOUNT's spending at once; what it holds is still settled."""
    show_one(_row(await (await services.get(ParkAccount))(Operator(), account, reason)), as_json=as_json)


@accounts.command()
@click.argument("account", type=ACCOUNT)
@click.option("--force", is_flag=True, help="Without looking whether its books add up.")
@click.option(
    "--timeout",
    "seconds",
    type=click.IntRange(1, 86_400),
    default=3600,
    show_default=True,
    help="Seconds that the look may take.",
)
@as_json
@with_services("unpark_account")
async def unpark(
    services: AsyncContainer, account: AccountId, *, force: bool, seconds: int, as_json: bool
) -> None:
    """Let a parked ACCOUNT spend again, if its books add up.

    One that is let by --force is parked again by the next audit that finds a fault.
    """
    let = await services.get(UnparkAccount)
    show_one(_row(await let(Operator(), account, seconds=seconds, force=force)), as_json=as_json)
