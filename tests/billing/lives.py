"""What happens to a subscription at Stripe, and what it has to come to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.fakes.stripe import invoices, payments, subscriptions
from tests.fakes.stripe.customers import add_card, use_card
from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object
from tests.fakes.stripe_server import StripeServer

ALLOCATION = {"team": 25_000_000_000, "scale": 300_000_000_000}
PACK = 10_000_000_000


def price_of(state: State, key: str) -> str:
    [price] = state.all("price", lookup_key=f"cuebx:{key}:1")
    return str(price["id"])


def card(there: StripeServer, last4: str) -> None:
    """The only customer's, from now on."""
    with there.changing():
        [customer] = there.state.all("customer")
        use_card(there.state, customer, add_card(there.state, customer, last4))


@dataclass(frozen=True)
class Life:
    """What happens at Stripe, step by step, without a word to CueBX."""

    there: StripeServer
    id: str

    def whole(self) -> Iterator[None]:
        """Of the smaller plan, in a trial, to the end: each step once somebody asks for the next."""
        steps: list[Callable[[], object]] = [
            lambda: self.advance(15),
            lambda: self.become("scale"),
            lambda: self.become("scale", seats=5),
            lambda: self.advance(31),
            lambda: card(self.there, "0341"),
            lambda: self.advance(31),
            lambda: card(self.there, "4242"),
            lambda: self.advance(4),
            self.dispute,
            self.buy,
            lambda: self.refund(0.5),
            lambda: self.become("team"),
            lambda: self.end("true"),
            lambda: self.end("false"),
            lambda: self.advance(31),
            self.cancel,
        ]
        for step in steps:
            with self.there.changing():
                step()
            yield

    def unpaid(self) -> Iterator[None]:
        """Pays after a while, disputes that, is paused and goes on, then never pays until Stripe gives up."""
        steps: list[Callable[[], object]] = [
            lambda: self.advance(15),
            lambda: card(self.there, "0341"),
            lambda: self.advance(31),
            lambda: self.advance(2),
            lambda: card(self.there, "4242"),
            lambda: self.advance(8),
            self.dispute,
            lambda: self.be("paused"),
            self.win,
            lambda: self.be("active"),
            lambda: self.refund(1.0),
            lambda: self.become("team", seats=3),
            lambda: card(self.there, "0341"),
            lambda: self.advance(31),
            lambda: self.advance(30),
        ]
        for step in steps:
            with self.there.changing():
                step()
            yield

    def advance(self, days: float) -> None:
        self.there.advance(days=days)

    def become(self, plan: str, seats: int = 0) -> None:
        state = self.there.state
        first, *more = state.get("subscription", self.id)["items"]["data"]
        items = [{"id": first["id"], "price": price_of(self.there.state, f"plan:api:{plan}")}]
        items += [{"id": each["id"], "deleted": "true"} for each in more]
        if seats:
            items.append({"price": price_of(self.there.state, f"seat:api:{plan}"), "quantity": str(seats)})
        subscriptions.update(state, {"items": items, "proration_behavior": "always_invoice"}, self.id)

    def buy(self) -> None:
        state = self.there.state
        subscription = state.get("subscription", self.id)
        price = state.get("price", price_of(self.there.state, "pack:api:small"))
        bought = invoices.draft(
            state,
            state.get("customer", subscription["customer"]),
            [invoices.line(state, price, 1, period=(state.now, state.now))],
            reason="manual",
            currency="usd",
            metadata=dict(subscription["metadata"]),
        )
        invoices.finalize(state, bought)
        invoices.pay(state, bought)

    def refund(self, share: float) -> None:
        charge = self.there.state.all("charge")[-1]
        amount = str(round(charge["amount"] * share))
        payments.create_refund(self.there.state, {"charge": charge["id"], "amount": amount})

    def dispute(self) -> None:
        payments.dispute(self.there.state, self.there.state.all("charge")[-1]["id"])

    def win(self) -> None:
        [dispute] = self.there.state.all("dispute")
        payments.close_dispute(self.there.state, dispute["id"], won=True)

    def end(self, value: str) -> None:
        subscriptions.update(self.there.state, {"cancel_at_period_end": value}, self.id)

    def be(self, status: str) -> None:
        state = self.there.state
        subscriptions.put_change(state, state.get("subscription", self.id), status=status)

    def cancel(self) -> None:
        subscriptions.cancel(self.there.state, {}, self.id)


def expected(state: State) -> dict[str, int]:
    """Microcredits left of each line's lot: reckoned anew, from what Stripe has."""
    lots = dict[str, int]()
    for invoice in state.all("invoice", status="paid"):
        paid = state.all("invoice_payment", invoice=invoice["id"])
        intents = [each["payment"]["payment_intent"] for each in paid]
        back = sum(each["amount"] for each in state.all("refund") if each["payment_intent"] in intents)
        disputes = [each for each in state.all("dispute") if each["payment_intent"] in intents]
        back += sum(each["amount"] for each in disputes if each["status"] != "won")
        lines = [(each, named(state, each)) for each in invoice["lines"]["data"]]
        lost = sum(part(each, key) for each, key in lines if each["amount"] < 0)
        for each, key in lines:
            gained = part(each, key)
            if each["amount"] < 0 or not gained:
                continue
            granted = gained + lost if prorated(each) else gained
            if granted > 0:
                asked = invoice["total"] or 1
                lots[f"stripe:{each['id']}"] = granted - granted * min(back, asked) // asked
    return lots


def named(state: State, line: Object) -> str:
    price = state.get("price", line["pricing"]["price_details"]["price"])
    return str(price["metadata"]["cuebx"])


def prorated(line: Object) -> bool:
    details = line["parent"]["subscription_item_details"]
    return bool(details and details["proration"])


def part(line: Object, key: str) -> int:
    _, kind, _, name, _ = key.split(":")
    if kind == "pack":
        return PACK
    if kind == "seat":
        return 0
    whole = ALLOCATION[name]
    if not prorated(line):
        return whole
    share: int = whole * abs(line["amount"]) // int(line["pricing"]["unit_amount_decimal"])
    return share if line["amount"] >= 0 else -share
