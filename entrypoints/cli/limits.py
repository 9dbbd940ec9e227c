import click
from dishka import AsyncContainer

from application.actor import Operator
from application.usage.spend_limits import (
    ListLimits,
    ReadShadow,
    RemoveLimit,
    SetLimit,
    WantedLimit,
    subject_text,
)
from domain.credits import format_credits
from domain.ids import AccountId, KeyId, LimitId, key_text, limit_text
from domain.usage.spend_limit import Per, SpendLimit
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import ACCOUNT, BOUND, KEY, LIMIT


@click.group()
def limits() -> None:
    """What keys may spend: set, list, remove, shadow."""


def _row(limit: SpendLimit) -> dict[str, object]:
    return {
        "limit_id": limit_text(limit.account, limit.id),
        "subject": subject_text(limit),
        "period": limit.period,
        "amount": format_credits(limit.amount),
        "held": format_credits(limit.held),
        "spent": format_credits(limit.spent),
        "shadow": limit.shadow,
        "since": limit.since,
    }


@limits.command("set", context_settings={"ignore_unknown_options": True})  # so that "-5" is an amount
@click.argument("key", type=KEY)
@click.argument("amount", type=BOUND)
@click.option(
    "--per",
    type=click.Choice([each.value for each in Per]),
    required=True,
    help="Calendar days and months, in UTC; or in all.",
)
@click.option("--shadow", is_flag=True, help="Refuse nothing, and note what it would have refused.")
@as_json
@with_services("set_limit")
async def set_(
    services: AsyncContainer, key: KeyId, amount: int, *, per: str, shadow: bool, as_json: bool
) -> None:
    """Let a KEY spend at most an AMOUNT of credits in a period, counted from now on."""
    set_limit = await services.get(SetLimit)
    wanted = WantedLimit(period=Per(per), amount=amount, shadow=shadow)
    show_one(_row(await set_limit.of_key(Operator(), key, wanted)), as_json=as_json)


@limits.command("list")
@click.argument("account", type=ACCOUNT)
@as_json
@with_services("list_limits")
async def list_(services: AsyncContainer, account: AccountId, *, as_json: bool) -> None:
    """The limits of an ACCOUNT's keys and members, and where they stand."""
    found = await (await services.get(ListLimits))(Operator(), account)
    show([_row(each) for each in found], as_json=as_json, empty="There are no limits.")


@limits.command()
@click.argument("limit", type=LIMIT)
@with_services("remove_limit")
async def remove(services: AsyncContainer, limit: tuple[AccountId, LimitId]) -> None:
    """Forget a LIMIT and what it noted."""
    await (await services.get(RemoveLimit))(Operator(), *limit)


@limits.command()
@click.argument("limit", type=LIMIT)
@as_json
@with_services("read_shadow")
async def shadow(services: AsyncContainer, limit: tuple[AccountId, LimitId], *, as_json: bool) -> None:
    """How often a shadow LIMIT would have refused, and which keys."""
    _, sums = await (await services.get(ReadShadow))(Operator(), *limit)
    rows: list[dict[str, object]] = [
        {
            "key_id": None if each.key is None else key_text(each.key),
            "calls": each.count,
            "missing": format_credits(each.missing),
            "first_at": each.first_at,
            "last_at": each.last_at,
        }
        for each in sums
    ]
    show(rows, as_json=as_json, empty="It would have refused nothing.")
