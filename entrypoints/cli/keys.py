from datetime import datetime

import click
from dishka import AsyncContainer

from application.actor import Operator
from application.keys.keys import CreateKey, ListKeys, RevokeKey
from domain.ids import AccountId, KeyId, WorkspaceId, account_text, key_text
from domain.keys.key import PREFIX, Key, KeyKind
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one
from entrypoints.cli.types import ACCOUNT, INSTANT, KEY, LINE, WORKSPACE


@click.group()
def keys() -> None:
    """API keys: create, list, revoke."""


def _row(key: Key) -> dict[str, object]:
    return {
        "key_id": key_text(key.id),
        "name": key.name,
        "key": f"{PREFIX[key.kind]}...{key.last_four}",
        "account_id": None if key.account is None else account_text(key.account),
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


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
@as_json
@with_services
async def create(
    services: AsyncContainer,
    *,
    account: AccountId | None,
    kind: str,
    name: str | None,
    expires: datetime | None,
    as_json: bool,
) -> None:
    """Create a key. It is shown now, and never again."""
    if (account is None) is not (kind == KeyKind.SERVICE):
        raise click.UsageError("a live or test key needs --account, and a service key takes none")
    made = await (await services.get(CreateKey))(
        Operator(), KeyKind(kind), name=name or kind, account=account, expires_at=expires
    )
    show_one({**_row(made.key), "key": made.text}, as_json=as_json)


@keys.command("list")
@click.option("--workspace", type=WORKSPACE, help="Its keys; the service keys where none is named.")
@as_json
@with_services
async def list_(services: AsyncContainer, *, workspace: WorkspaceId | None, as_json: bool) -> None:
    """The keys of a workspace, or the service keys, the oldest first."""
    found = await (await services.get(ListKeys))(Operator(), workspace)
    show([_row(key) for key in found], as_json=as_json, empty="There are no keys.")


@keys.command()
@click.argument("key", type=KEY)
@as_json
@with_services
async def revoke(services: AsyncContainer, key: KeyId, *, as_json: bool) -> None:
    """Refuse a KEY everywhere within a second, for good."""
    show_one(_row(await (await services.get(RevokeKey))(Operator(), key)), as_json=as_json)
