"""The whole of CueBX in this process, and a Stripe beside it that tells nothing until a test says so."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from email import message_from_bytes
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import msgspec
import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine
from stripe._http_client import HTTPClient

from application.actor import Operator, Person
from application.billing.prices import PublishPrices
from application.identity.sign_in import SignIn
from application.keys.keys import CreateKey
from application.usage.ports import Auditor
from application.workspaces.teams import CreateTeam
from domain.credits import format_credits
from domain.email import parse_email
from domain.ids import AccountId, SessionId, WorkspaceId, account_text, workspace_text
from domain.keys.key import KeyKind
from domain.usage.lot import Lot
from entrypoints import container
from entrypoints.http.app import create_app
from tests.conftest import TEMPLATE, copied, renamed, run_sql
from tests.fakes.stripe.webhooks import signature
from tests.fakes.stripe.wire import Object
from tests.fakes.stripe_server import WEBHOOK_SECRET, StripeServer, stripe_server
from tests.http.documented import is_documented
from tests.post_office import deliver
from tests.shop import Somebody, embedded, open_shop

HOOK = "/v1/webhooks/stripe"


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stripe's package tries again at once, here."""
    monkeypatch.setattr(HTTPClient, "INITIAL_DELAY", 0.001)
    monkeypatch.setattr(HTTPClient, "MAX_DELAY", 0.001)


@pytest.fixture
def there() -> Iterator[StripeServer]:
    with stripe_server(held=True) as server:
        yield server


@pytest.fixture(scope="session")
def selling_server(embedded_server: str) -> str:
    """Its template has the sample catalog."""
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE cuebx_selling TEMPLATE {TEMPLATE}"))
    asyncio.run(open_shop(renamed(embedded_server, "cuebx_selling")))
    return embedded_server


@dataclass
class Till:
    """``owner`` has a team, which is not subscribed to anything.

    ``moved``: CueBX's own clock goes with Stripe's.
    """

    services: AsyncContainer
    http: httpx.AsyncClient
    there: StripeServer
    owner: Somebody
    workspace: WorkspaceId
    account: AccountId
    mails: Path
    moved: bool = False

    def subjects(self) -> list[str]:
        """Of the mails that were sent, in order."""
        files = sorted(self.mails.glob("*.eml"))
        return [str(message_from_bytes(each.read_bytes())["Subject"]) for each in files]

    async def sign_in(self) -> None:
        """The owner, once more."""
        use = await self.services.get(SignIn)
        tokens = await use(
            parse_email(self.owner.email), self.owner.password, device="a test's", address="127.0.0.1"
        )
        self.owner = replace(self.owner, tokens=tokens)

    async def state(self) -> str:
        """The plan that the account has."""
        [row] = await self.sql(f"SELECT plan FROM account WHERE id = '{self.account}'")  # noqa: S608 - ours
        return str(row["plan"])

    async def ask(self, method: str, path: str, body: object = None) -> httpx.Response:
        """As the owner, under the workspace."""
        headers = {"Authorization": f"Bearer {self.owner.tokens.access}"}
        url = f"/v1/workspaces/{workspace_text(self.workspace)}{path}"
        return await self.http.request(method, url, json=body, headers=headers)

    async def page(self, path: str, **body: object) -> str:
        """Stripe's id of the page that one is sent to."""
        answer = await self.ask("POST", path, body)
        assert answer.status_code == 201, answer.text
        return str(urlsplit(answer.json()["url"]).path).rsplit("/", 1)[1]

    async def subscribe(self, plan: str = "scale", **more: object) -> str:
        """Paid by now, and nothing of it told yet. The answer is Stripe's id of the subscription."""
        session = await self.page("/subscriptions", product="api", plan=plan, **more)
        assert self.there.pay(session) is None
        return str(self.there.state.get("checkout.session", session)["subscription"])

    async def told(
        self, event: Object, *, secret: str = WEBHOOK_SECRET, at: int | None = None
    ) -> httpx.Response:
        body = json.dumps(event).encode()
        if at is None:
            at = self.there.state.now if self.moved else int(time.time())
        signed = signature(body, secret, at)
        headers = {"Stripe-Signature": signed, "Content-Type": "application/json"}
        return await self.http.post(HOOK, content=body, headers=headers)

    async def hear(self, events: Iterable[Object] | None = None) -> Sequence[Object]:
        """Those, or all that Stripe has not told yet, in order; and all that follows is done."""
        heard = list(self.there.events() if events is None else events)
        for event in heard:
            answer = await self.told(event)
            assert answer.status_code == 200, answer.text
        await deliver(self.services)
        return heard

    async def lots(self) -> list[Lot]:
        """In the order in which they begin, without the free plan's."""
        columns = (
            "account_id AS account, id, source, granted, held, spent, refunded, priority, starts_at,"
            " expires_at, created_at, reference"
        )
        rows = await self.sql(f"SELECT {columns} FROM lot ORDER BY starts_at, created_at")  # noqa: S608 - ours
        lots = [msgspec.convert(row, Lot, strict=False) for row in rows]
        return [each for each in lots if not (each.reference or "").startswith("allocation:")]

    async def credits(self) -> list[tuple[str, str]]:
        """Of each lot the source and what was granted, as people write it."""
        return [(each.source, format_credits(each.granted)) for each in await self.lots()]

    async def sql(self, statement: str) -> list[dict[str, Any]]:
        engine = await self.services.get(AsyncEngine)
        async with engine.connect() as connection:
            return [dict(row) for row in (await connection.execute(sa.text(statement))).mappings()]

    async def overdue(self) -> None:
        """What waits for another try is tried now."""
        await self.change("UPDATE delivery SET due_at = now()")
        await deliver(self.services)

    async def change(self, statement: str) -> None:
        engine = await self.services.get(AsyncEngine)
        async with engine.begin() as connection:
            await connection.execute(sa.text(statement))

    async def hold_all(self) -> None:
        """A call that goes on holds all credits that there are."""
        create = await self.services.get(CreateKey)
        live = await create(Operator(), KeyKind.LIVE, name="a test's", account=self.account)
        service = await create(Operator(), KeyKind.SERVICE, name="a test's")
        tokens = {"input_tokens": 10_000_000, "max_output_tokens": 10_000_000}
        headers = {"Authorization": f"Bearer {service.text}"}
        while True:
            body = {"api_key": live.text, "feature": "summarize", "estimate": tokens, "fit": "clamp"}
            answer = await self.http.post(
                "/v1/reservations", json=body, headers={**headers, "Idempotency-Key": uuid4().hex}
            )
            if answer.status_code == 402:
                return
            assert answer.status_code == 201, answer.text

    async def shown(self) -> dict[str, Any]:
        """The subscription as the owner sees it."""
        answer = await self.ask("GET", "/subscriptions")
        assert answer.status_code == 200, answer.text
        [item] = answer.json()["items"]
        shown: dict[str, Any] = item
        return shown

    async def is_in_order(self) -> None:
        """The books add up, and no message is a dead letter."""
        assert list(await (await self.services.get(Auditor)).audit(seconds=60)) == []
        assert await self.sql("SELECT reason FROM dead_letter") == []

    @property
    def account_id(self) -> str:
        return account_text(self.account)


@pytest.fixture
async def till(selling_server: str, there: StripeServer) -> AsyncIterator[Till]:
    async with copied(selling_server, template="cuebx_selling") as database:
        with TemporaryDirectory() as mails:
            settings = msgspec.structs.replace(
                embedded(database, mails),
                stripe_api_key=there.api_key,
                stripe_url=there.url,
                stripe_webhook_secret=WEBHOOK_SECRET,
                billing_return_url="https://app.example/billing",
            )
            services = container.build(settings)
            app: Any = create_app(services)
            try:
                await (await services.get(PublishPrices))(Operator())
                there.events()
                async with httpx.AsyncClient(
                    transport=httpx.ASGITransport(app),
                    base_url="http://test",
                    event_hooks={"response": [is_documented]},
                ) as http:
                    yield await _till(services, http, there, Path(mails))
            finally:
                await services.close()


async def _till(services: AsyncContainer, http: httpx.AsyncClient, there: StripeServer, mails: Path) -> Till:
    owner = await Somebody.on(services, "ada@example.org")
    person = Person(user=owner.tokens.user, session=SessionId(uuid4()), address="127.0.0.1")
    opened = await (await services.get(CreateTeam))(person, "Team")
    return Till(services, http, there, owner, opened.workspace.id, opened.accounts[0].id, mails)
