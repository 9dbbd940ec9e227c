"""Something to try `cuebx dev` with: a catalog, and a workspace that has credits and keys."""

import os
from pathlib import Path
from typing import Self

import msgspec
from dishka import AsyncContainer
from msgspec import Struct

from application.actor import Operator
from application.catalog.check import CheckCatalog
from application.catalog.ports import Catalog
from application.catalog.publish import PublishCatalog
from application.keys.authenticate import Authenticate
from application.keys.keys import CreateKey
from application.usage.grants import GrantCredits
from application.workspaces.workspaces import CreateWorkspace
from domain.credits import MICRO
from domain.errors import DomainError
from domain.ids import account_text, workspace_text
from domain.keys.key import KeyKind
from domain.usage.lot import Source
from domain.workspaces.workspace import Kind
from entrypoints.embedded import SAMPLE

CREDITS = 1_000_000


class Demo(Struct, frozen=True, kw_only=True):
    workspace_id: str
    account_id: str
    live_key: str
    test_key: str
    service_key: str


class Facts(Struct, frozen=True, kw_only=True):
    """What a running `cuebx dev` tells, to people and in ``dev.json``. The keys are kept nowhere else."""

    url: str
    workspace_id: str
    account_id: str
    live_key: str
    test_key: str
    service_key: str
    database_url: str
    stripe_url: str

    @classmethod
    def of(cls, demo: Demo, *, url: str, database_url: str, stripe_url: str) -> Self:
        """``stripe_url`` is that of a stand-in, if there is one."""
        return cls(**msgspec.structs.asdict(demo), url=url, database_url=database_url, stripe_url=stripe_url)

    def write(self, file: Path) -> None:
        """For its owner alone, and never half."""
        new = file.with_suffix(".new")
        new.unlink(missing_ok=True)
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(msgspec.json.format(msgspec.json.encode(self)) + b"\n")
        new.replace(file)


def known_demo(file: Path) -> Demo | None:
    try:
        return msgspec.json.decode(file.read_bytes(), type=Demo)
    except (OSError, msgspec.MsgspecError):
        return None


async def publish_sample(services: AsyncContainer) -> None:
    """Unless something is published already: it may be a catalog that somebody works on here."""
    catalog = await services.get(Catalog)
    if not await catalog.products():
        draft = (await services.get(CheckCatalog))(SAMPLE)
        await (await services.get(PublishCatalog))(draft)


async def demo(services: AsyncContainer, known: Demo | None) -> Demo:
    """``known``, if its keys still open its account, or else a new one."""
    if known is not None and await _works(services, known):
        return known
    create_workspace = await services.get(CreateWorkspace)
    create_key = await services.get(CreateKey)
    grant = await services.get(GrantCredits)
    opened = await create_workspace(Operator(), "Demo", Kind.TEAM, product="api", plan="scale")
    account = opened.accounts[0].id
    await grant(account, source=Source.PROMOTION, amount=CREDITS * MICRO, reference="demo")
    return Demo(
        workspace_id=workspace_text(opened.workspace.id),
        account_id=account_text(account),
        live_key=(await create_key(Operator(), KeyKind.LIVE, name="Demo", account=account)).text,
        test_key=(await create_key(Operator(), KeyKind.TEST, name="Demo (test)", account=account)).text,
        service_key=(await create_key(Operator(), KeyKind.SERVICE, name="Demo (service)")).text,
    )


async def _works(services: AsyncContainer, known: Demo) -> bool:
    authenticate = await services.get(Authenticate)
    try:
        customers = [await authenticate.customer(key) for key in (known.live_key, known.test_key)]
        await authenticate.service(known.service_key)
    except DomainError:
        return False
    owners = {(workspace_text(each.workspace), account_text(each.account)) for each in customers}
    return owners == {(known.workspace_id, known.account_id)}
