from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, ParamSpec

import click
from dishka import AsyncContainer

from application.actor import Operator
from application.keys.keys import CreateKey, ListKeys, RevokeKey, RotateKey
from domain.ids import AccountId, KeyId, WorkspaceId, account_text, key_text
from domain.keys.key import PREFIX, Key, KeyKind
from domain.keys.policy import Policy
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import ACCOUNT, GRACE, INSTANT, KEY, LINE, NETWORK, WORKSPACE

P = ParamSpec("P")


@click.group()
def keys() -> None:
    """API keys: create, list, rotate, revoke."""


_SHORT = ("key_id", "name", "key", "account_id", "created_at", "expires_at", "revoked_at")


def _row(key: Key) -> dict[str, object]:
    return {
        "key_id": key_text(key.id),
        "name": key.name,
        "key": f"{PREFIX[key.kind]}...{key.last_four}",
        "account_id": None if key.account is None else account_text(key.account),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
        "last_used_at": key.last_used_at,
        "features": key.policy.features,
        "networks": key.policy.networks,
        "per_minute": key.policy.per_minute,
        "per_day": key.policy.per_day,
    }


def _bounds(command: Callable[P, None]) -> Callable[P, None]:
    for option in (
        click.option("--per-day", type=click.IntRange(1), help="How many calls it may make in a day."),
        click.option("--per-minute", type=click.IntRange(1), help="How many calls it may make in a minute."),
        click.option("--network", "networks", type=NETWORK, multiple=True, help="Where it may call from."),
        click.option("--feature", "features", type=LINE, multiple=True, help="A feature that it may call."),
    ):
        command = option(command)
    return command


@keys.command()
@click.option("--account", type=ACCOUNT, help="Whose credits it spends. Not for a service key.")
@click.option(
    "--kind",
    type=click.Choice([kind.value for kind in KeyKind]),
    default=KeyKind.LIVE.value,
    show_default=True,
)
@click.option("--name", type=LINE, help="What it is for.")
@click.option("--expires", type=INSTANT, help="When it stops working: a day or an instant.")
@_bounds
@as_json
@with_services("create_key")
async def create(
    services: AsyncContainer,
    /,
    *,
    account: AccountId | None,
    kind: str,
    name: str | None,
    expires: datetime | None,
    as_json: bool,
    **bounds: Any,  # noqa: ANN401 - the options of _bounds
) -> None:
    """Create a key. It is shown now, and never again."""
    if (account is None) is not (kind == KeyKind.SERVICE):
        raise click.UsageError("a live or test key needs --account, and a service key takes none")
    made = await (await services.get(CreateKey))(
        Operator(),
        KeyKind(kind),
        name=name or kind,
        account=account,
        expires_at=expires,
        policy=Policy(**{bound: value or None for bound, value in bounds.items()}),
    )
    show_one({**_row(made.key), "key": made.text}, as_json=as_json)


@keys.command("list")
@click.option("--workspace", type=WORKSPACE, help="Its keys; the service keys where none is named.")
@as_json
@with_services("list_keys")
async def list_(services: AsyncContainer, *, workspace: WorkspaceId | None, as_json: bool) -> None:
    """The keys of a workspace, or the service keys, the oldest first."""
    found = await (await services.get(ListKeys))(Operator(), workspace)
    show([_row(key) for key in found], as_json=as_json, empty="There are no keys.", columns=_SHORT)


@keys.command()
@click.argument("key", type=KEY)
@as_json
@with_services("revoke_key")
async def revoke(services: AsyncContainer, key: KeyId, *, as_json: bool) -> None:
    """Refuse a KEY everywhere within a second, for good."""
    show_one(_row(await (await services.get(RevokeKey))(Operator(), key)), as_json=as_json)


@keys.command()
@click.argument("key", type=KEY)
@click.option(
    "--grace", type=GRACE, default="24h", show_default=True, help="How long the old secret still works."
)
@as_json
@with_services("rotate_key")
async def rotate(services: AsyncContainer, key: KeyId, *, grace: timedelta, as_json: bool) -> None:
    """Give a KEY a new secret. It is shown now, and never again."""
    rotated = await (await services.get(RotateKey))(Operator(), key, grace=grace)
    until = None if rotated.key.previous is None else rotated.key.previous.until
    row = {**_row(rotated.key), "key": rotated.text, "old_secret_works_until": until}
    show_one(row, as_json=as_json)
