"""Teams that subscribe, buy a pack, or have packs bought when they run low; and what each has of it."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx

from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.actor import Operator, Person
from application.keys.keys import CreateKey
from application.ports import Clock
from application.workspaces.teams import CreateTeam
from domain.ids import AccountId, SessionId, WorkspaceId, workspace_text
from domain.keys.key import KeyKind
from tests.e2e.sales import Sales
from tests.e2e.steps import Who
from tests.fakes.people import CountedTries
from tests.fakes.stripe import customers
from tests.fakes.stripe.wire import Object


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """What both sides have of a buyer: at Stripe states and hundredths, here microcredits by source."""

    customers: int = 1
    pages: list[str] = field(default_factory=list)
    subscriptions: list[str] = field(default_factory=list)
    invoices: list[tuple[str, int]]
    charges: list[int]
    lots: list[tuple[str, int]]


@dataclass(eq=False)
class Buyer:
    sales: Sales
    workspace: WorkspaceId
    account: AccountId
    paid: bool = False

    @classmethod
    async def new(cls, sales: Sales) -> "Buyer":
        person = Person(user=sales.owner.tokens.user, session=SessionId(uuid4()), address="127.0.0.1")
        create = replace(await sales.services.get(CreateTeam), throttle=CountedTries())
        opened = await create(person, "Team")
        return cls(sales, opened.workspace.id, opened.accounts[0].id)

    async def ask(self, path: str, body: object) -> httpx.Response:
        """As the team's owner. Raises TransportError where the server dies of it."""
        headers = {"Authorization": f"Bearer {self.sales.owner.tokens.access}"}
        url = f"{self.sales.server.url}/v1/workspaces/{workspace_text(self.workspace)}{path}"
        return await self.sales.http.post(url, json=body, headers=headers)

    async def pay(self, path: str, body: object) -> None:
        """On the page that one is sent to."""
        answer = await self.ask(path, body)
        assert answer.status_code == 201, answer.text
        page = str(urlsplit(answer.json()["url"]).path).rsplit("/", 1)[1]
        assert self.sales.there.pay(page) is None
        self.paid = True

    async def hear(self) -> None:
        """What Stripe tells of it: each event when all that came of the one before is done."""
        self.sales.steps.who = Who.BILLING
        while events := self.untold():
            await self.sales.told(events[0])
            await self.sales.acted()

    def untold(self) -> list[Object]:
        ids = {each["id"] for each in self.customers()}
        with self.sales.there.lock:
            events = [(each, each["data"]["object"]) for each in self.sales.there.state.untold]
        return [each for each, about in events if about.get("customer", about["id"]) in ids]

    def customers(self) -> list[Object]:
        named = {"cuebx_workspace": workspace_text(self.workspace)}
        with self.sales.there.lock:
            return self.sales.there.state.all("customer", metadata=named)

    async def bought(self) -> Bought:
        own = [each["id"] for each in self.customers()]

        def there(kind: str) -> list[Object]:
            with self.sales.there.lock:
                found = self.sales.there.state.all(kind)
            return [each for each in found if each["customer"] in own]

        lots = await self.sales.rows(
            "SELECT source, granted FROM lot"  # noqa: S608 - ours
            f" WHERE account_id = '{self.account}' AND reference LIKE 'stripe:%'"
        )
        return Bought(
            customers=len(own),
            pages=[each["status"] for each in there("checkout.session")],
            subscriptions=[each["status"] for each in there("subscription")],
            invoices=[(each["status"], each["total"]) for each in there("invoice")],
            charges=[each["amount"] for each in there("charge")],
            lots=[(str(source), int(granted)) for source, granted in lots],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """``buys`` is all that the buyer does, from the first request to what came of the last event.

    ``again`` is what it does when whatever it was waiting for died.
    """

    name: str
    begin: Callable[[Sales], Awaitable[Buyer]]
    buys: Callable[[Buyer], Coroutine[Any, Any, None]]
    again: Callable[[Buyer], Awaitable[None]]
    expected: Bought


def by_a_page(name: str, path: str, body: Mapping[str, object], expected: Bought) -> Sale:
    async def buys(buyer: Buyer) -> None:
        await buyer.pay(path, body)
        await buyer.hear()

    async def again(buyer: Buyer) -> None:
        if not buyer.paid:
            await buyer.pay(path, body)

    return Sale(name=name, begin=Buyer.new, buys=buys, again=again, expected=expected)


async def low(sales: Sales, below: str = "500") -> Buyer:
    """With a card from before, and the 500 credits of the free plan. Below so many, packs are bought."""
    buyer = await Buyer.new(sales)
    there = sales.there
    with there.changing():
        metadata = {"cuebx_workspace": workspace_text(buyer.workspace)}
        customer = customers.create(there.state, {"metadata": metadata})
        customers.add_card(there.state, customer, "4242")
    for event in buyer.untold():
        sales.heard(event)
    async with (await sales.services.get(SqlUnitOfWork))() as tx:
        await tx.customers.add(buyer.workspace, customer["id"], (await sales.services.get(Clock)).now())
    wanted = {"product": "api", "below": below, "pack": "small", "monthly": 9}
    answer = await buyer.ask("/auto-top-ups", wanted)
    assert answer.status_code == 200, answer.text
    return buyer


async def spend(buyer: Buyer) -> None:
    """By one call."""
    sales = buyer.sales
    create = await sales.services.get(CreateKey)
    key = await create(Operator(), KeyKind.LIVE, name="a test's", account=buyer.account)
    answer = await sales.http.post(
        f"{sales.server.url}/v1/features/echo/runs",
        json={"input": {"text": "some text"}},
        headers={"Authorization": f"Bearer {key.text}"},
    )
    assert answer.status_code == 200, answer.text


async def _runs_low(buyer: Buyer) -> None:
    buyer.sales.steps.who = Who.TOP_UPS
    await spend(buyer)
    await buyer.sales.acted()
    await buyer.hear()


async def _waits(_: Buyer) -> None:
    """Its call was answered: it does not know that anything is bought."""


SUBSCRIBE = by_a_page(
    "subscribe",
    "/subscriptions",
    {"product": "api", "plan": "scale"},
    Bought(
        pages=["complete"],
        subscriptions=["active"],
        invoices=[("paid", 49_900)],
        charges=[49_900],
        lots=[("allocation", 300_000_000_000)],
    ),
)
_PACK = Bought(invoices=[("paid", 2500)], charges=[2500], lots=[("top_up", 10_000_000_000)])
TOP_UP = by_a_page(
    "top up", "/top-ups", {"product": "api", "pack": "small"}, replace(_PACK, pages=["complete"])
)
AUTO_TOP_UP = Sale(name="auto top-up", begin=low, buys=_runs_low, again=_waits, expected=_PACK)
