"""A seller's database, made by the use cases that the command line calls, and those who then ask."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx
from dishka import AsyncContainer

from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.actor import Operator
from application.identity.ports import Passwords
from application.identity.sign_in import SignIn, Tokens
from application.keys.keys import CreateKey, NewKey, RevokeKey
from application.ports import Clock
from application.usage.grants import GrantCredits
from application.usage.parking import ParkAccount
from application.workspaces.workspaces import CreateWorkspace, FreezeWorkspace, UnfreezeWorkspace
from domain.credits import parse_credits
from domain.email import parse_email
from domain.identity.user import User
from domain.ids import (
    UserId,
    account_text,
    key_text,
    parse_account,
    parse_key,
    parse_workspace,
    workspace_text,
)
from domain.keys.key import KeyKind
from domain.usage.lot import NEVER, Source
from domain.workspaces.workspace import Kind
from entrypoints import container
from entrypoints.cli.demo import publish_sample
from entrypoints.settings import Profile, Settings

FEATURE = "summarize"
ESTIMATE = {"input_tokens": 1000, "max_output_tokens": 300}
"""Of a call that costs 2 credits at most."""
HELD = "2"
USAGE = {"input_tokens": 900, "output_tokens": 200}
"""Of one that cost 1.52 credits."""
CHARGED = "1.52"
SECRET = b64encode(bytes(32)).decode()
WEBHOOK_TOKEN = "a token of sixteen"  # noqa: S105


@asynccontextmanager
async def services_on(database: str) -> AsyncIterator[AsyncContainer]:
    with TemporaryDirectory() as mails:
        services = container.build(embedded(database, mails))
        try:
            yield services
        finally:
            await services.close()


def embedded(database: str, mails: str) -> Settings:
    return Settings(
        database_url=database,
        profile=Profile.EMBEDDED,
        secret=SECRET,
        mail_dir=mails,
        brevo_webhook_token=WEBHOOK_TOKEN,
    )


@dataclass(frozen=True, slots=True)
class Somebody:
    """Who has signed in."""

    email: str
    password: str
    tokens: Tokens

    @classmethod
    async def on(cls, services: AsyncContainer, email: str, *, operator: bool = False) -> "Somebody":
        """New, confirmed and signed in."""
        password = "a rather long password"  # noqa: S105
        passwords, clock = await services.get(Passwords), await services.get(Clock)
        user = User(
            id=UserId(uuid4()),
            email=parse_email(email),
            name="Somebody",
            password=await passwords.hash(password),
            created_at=clock.now(),
            confirmed_at=clock.now(),
            operator=operator,
        )
        async with (await services.get(SqlUnitOfWork))() as tx:
            await tx.users.add(user)
        sign_in = await services.get(SignIn)
        tokens = await sign_in(user.email, password, device="a test's", address="127.0.0.1")
        return cls(email, password, tokens)


async def open_shop(database: str) -> None:
    """Publishes the sample catalog."""
    async with services_on(database) as services:
        await publish_sample(services)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """A workspace with one account, its public ids and its keys."""

    workspace: str
    account: str
    live: str
    live_id: str
    test: str
    test_id: str


class Shop:
    def __init__(self, services: AsyncContainer) -> None:
        self._services = services

    async def tenant(self, plan: str = "api/scale", *, amount: str = "1000") -> Tenant:
        create = await self._services.get(CreateWorkspace)
        product, _, name = plan.partition("/")
        opened = await create(Operator(), "Tenant", Kind.TEAM, product=product, plan=name)
        account = account_text(opened.accounts[0].id)
        if amount != "0":
            await self.grant(account, amount)
        live, test = await self.key(account), await self.key(account, KeyKind.TEST)
        return Tenant(
            workspace=workspace_text(opened.workspace.id),
            account=account,
            live=live.text,
            live_id=key_text(live.key.id),
            test=test.text,
            test_id=key_text(test.key.id),
        )

    async def key(
        self, account: str, kind: KeyKind = KeyKind.LIVE, *, expires_at: datetime | None = None
    ) -> NewKey:
        create = await self._services.get(CreateKey)
        return await create(
            Operator(), kind, name="a test's", account=parse_account(account), expires_at=expires_at
        )

    async def service_key(self) -> NewKey:
        create = await self._services.get(CreateKey)
        return await create(Operator(), KeyKind.SERVICE, name="a test's")

    async def revoke(self, key: str) -> None:
        """By its public id."""
        await (await self._services.get(RevokeKey))(Operator(), parse_key(key))

    async def park(self, tenant: Tenant) -> None:
        park = await self._services.get(ParkAccount)
        await park(Operator(), parse_account(tenant.account), "odd")

    async def freeze(self, tenant: Tenant) -> None:
        await (await self._services.get(FreezeWorkspace))(Operator(), parse_workspace(tenant.workspace))

    async def unfreeze(self, tenant: Tenant) -> None:
        await (await self._services.get(UnfreezeWorkspace))(Operator(), parse_workspace(tenant.workspace))

    async def grant(
        self,
        account: str,
        amount: str,
        source: Source = Source.TOP_UP,
        *,
        expires_at: datetime = NEVER,
    ) -> None:
        grant = await self._services.get(GrantCredits)
        micro = parse_credits(amount)
        await grant(parse_account(account), source=source, amount=micro, expires_at=expires_at)


class Caller:
    """Sends requests with one key."""

    def __init__(self, http: httpx.AsyncClient, key: str) -> None:
        self.http = http
        self.key = key

    async def get(self, path: str, **query: str | int) -> httpx.Response:
        return await self.http.get(path, params=query, headers=self._headers({}))

    async def post(
        self, path: str, body: object = None, *, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """Without ``body``, without one."""
        return await self.http.post(path, headers=self._headers(headers or {}), json=body)

    def _headers(self, more: dict[str, str]) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}", **more}


class Seller(Caller):
    """The seller's service, on its way around an AI call."""

    async def reserve(
        self, payer: Tenant, *, request: str | None = None, **changed: object
    ) -> httpx.Response:
        """``request`` is the idempotency key; ``changed`` are members of the body, left out where None."""
        usual = {"api_key": payer.live, "feature": FEATURE, "estimate": ESTIMATE}
        body = {name: value for name, value in (usual | changed).items() if value is not None}
        key = uuid4().hex if request is None else request
        return await self.post("/v1/reservations", body, headers={"Idempotency-Key": key})

    async def reserved(self, payer: Tenant, **changed: object) -> str:
        """The id of a new reservation."""
        answer = await self.reserve(payer, **changed)  # type: ignore[arg-type] # no test names a request here
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["id"]
        return id

    async def start(self, id: str) -> httpx.Response:
        return await self.post(f"/v1/reservations/{id}/start")

    async def commit(self, id: str, usage: object = USAGE, **more: object) -> httpx.Response:
        return await self.post(f"/v1/reservations/{id}/commit", {"usage": usage, **more})

    async def release(self, id: str) -> httpx.Response:
        return await self.post(f"/v1/reservations/{id}/release")

    async def extend(self, id: str, **what: object) -> httpx.Response:
        return await self.post(f"/v1/reservations/{id}/extend", what)

    async def look(self, id: str) -> httpx.Response:
        return await self.get(f"/v1/reservations/{id}")
