"""What Stripe had at each moment of a life, kept as CueBX read it there, to be told again without Stripe."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.stripe.client import StripeAccount, client_of
from adapters.stripe.payments import StripePayments
from application.billing.off import NoPayments
from application.billing.ports import Payments, Session
from domain.billing.events import StripeTold
from domain.billing.invoice import Invoice
from domain.billing.subscription import Subscription
from tests.fakes.stripe.wire import Object
from tests.fakes.stripe_server import StripeServer


@dataclass(frozen=True)
class Moment:
    """What was there, by Stripe's ids; ``paid`` are invoices by payment intent.

    ``told`` are the events since the moment before.
    """

    told: Sequence[StripeTold]
    subscriptions: Mapping[str, Subscription]
    invoices: Mapping[str, Invoice]
    paid: Mapping[str, str]
    sessions: Mapping[str, Session]


@asynccontextmanager
async def payments_at(there: StripeServer) -> AsyncIterator[StripePayments]:
    account = StripeAccount(api_key=there.api_key, url=there.url, return_url="https://app.example")
    async with client_of(account) as client:
        yield StripePayments(client, account)


async def moment(there: StripeServer, payments: Payments) -> Moment:
    """Now."""
    state = there.state

    def ids(kind: str) -> Iterator[str]:
        return (str(each["id"]) for each in state.all(kind))

    subscriptions = {id: await payments.subscription(id) for id in ids("subscription")}
    invoices = {id: await payments.invoice(id) for id in ids("invoice")}
    sessions = {id: await payments.session(id) for id in ids("checkout.session")}
    return Moment(
        told=[event_of(each) for each in there.events()],
        subscriptions={id: each for id, each in subscriptions.items() if each is not None},
        invoices={id: each for id, each in invoices.items() if each is not None},
        sessions={id: each for id, each in sessions.items() if each is not None},
        paid={
            str(each["payment"]["payment_intent"]): str(each["invoice"])
            for each in state.all("invoice_payment")
        },
    )


def event_of(event: Object) -> StripeTold:
    about = event["data"]["object"]
    return StripeTold(
        event=event["id"], type=event["type"], about=about["id"], payment=about.get("payment_intent")
    )


@dataclass
class RecordedPayments(NoPayments):
    """As it was at the moment ``at``. An answer may be late, and somebody else's come before."""

    moments: Sequence[Moment]
    at: int = 0
    late: bool = False
    asked: list[str] = field(default_factory=list)

    @property
    def now(self) -> Moment:
        return self.moments[self.at]

    async def _arrived(self) -> None:
        if self.late:
            await asyncio.sleep(0)

    async def subscription(self, id: str) -> Subscription | None:
        seen = self.now.subscriptions.get(id)
        await self._arrived()
        return seen

    async def invoice(self, id: str) -> Invoice | None:
        seen = self.now.invoices.get(id)
        await self._arrived()
        return seen

    async def invoice_paid_by(self, payment: str) -> str | None:
        return self.now.paid.get(payment)

    async def session(self, id: str) -> Session | None:
        return self.now.sessions.get(id)

    async def subscriptions_of(self, customer: str) -> Sequence[Subscription]:
        return sorted(self.now.subscriptions.values(), key=lambda each: each.created_at)

    async def invoices_of(self, customer: str) -> Sequence[Invoice]:
        return list(self.now.invoices.values())
