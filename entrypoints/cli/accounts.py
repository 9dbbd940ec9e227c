from datetime import datetime

import click
from dishka import AsyncContainer

from application.actor import Operator
from application.usage.grants import GrantByHand
from domain.credits import format_credits
from domain.ids import AccountId, account_text, lot_text
from domain.usage.lot import NEVER, Source
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show_one
from entrypoints.cli.types import ACCOUNT, CREDITS, INSTANT, LINE

GRANTED_BY_HAND = [Source.TOP_UP.value, Source.PROMOTION.value, Source.ADJUSTMENT.value]


@click.group()
def accounts() -> None:
    """Credits of workspaces."""


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
