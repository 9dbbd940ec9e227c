import click
from dishka import AsyncContainer

from application.identity.signing import RotateSigningKey, SigningKey, SigningKeys
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one


@click.group("signing-keys")
def signing_keys() -> None:
    """The keys that sign access tokens: list, rotate."""


def _row(key: SigningKey) -> dict[str, object]:
    return {
        "kid": key.kid,
        "created_at": key.created_at,
        "signs_from": key.signs_from,
        "verifies_until": key.verifies_until,
    }


@signing_keys.command("list")
@as_json
@with_services("list_signing_keys")
async def list_(services: AsyncContainer, *, as_json: bool) -> None:
    """All of them, the oldest first."""
    keys = await (await services.get(SigningKeys)).all()
    show([_row(each) for each in keys], as_json=as_json, empty="There are none: the first sign-in makes one.")


@signing_keys.command()
@as_json
@with_services("rotate_signing_key")
async def rotate(services: AsyncContainer, *, as_json: bool) -> None:
    """Sign with a new key from two minutes on. Nobody has to sign in again."""
    show_one(_row(await (await services.get(RotateSigningKey))()), as_json=as_json)
