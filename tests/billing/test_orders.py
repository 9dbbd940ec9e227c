"""A subscription's whole life, told in any order and doubled: the books come out the same, and right."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from application.actor import Operator
from application.billing.reconcile import Reconcile
from tests.billing.conftest import Till
from tests.billing.test_life import card
from tests.fakes.stripe import invoices, payments, subscriptions
from tests.fakes.stripe.wire import Object

ALLOCATION = {"team": 25_000_000_000, "scale": 300_000_000_000}
PACK = 10_000_000_000


def price_of(till: Till, key: str) -> str:
    [price] = till.there.state.all("price", lookup_key=f"cuebx:{key}:1")
    return str(price["id"])


@dataclass(frozen=True)
class Life:
    """What happens at Stripe, step by step, without a word to CueBX."""

    till: Till
    id: str

    @property
    def steps(self) -> list[Callable[[], object]]:
        advance = self.till.there.advance
        return [
            lambda: advance(days=15),
            lambda: self.become("scale"),
            lambda: self.become("scale", seats=5),
            lambda: advance(days=31),
            lambda: card(self.till, "0341"),
            lambda: advance(days=31),
            lambda: card(self.till, "4242"),
            lambda: advance(days=4),
            self.dispute,
            self.buy,
            lambda: self.refund(0.5),
            lambda: self.become("team"),
            lambda: self.end("true"),
            lambda: self.end("false"),
            lambda: advance(days=31),
            lambda: subscriptions.cancel(self.till.there.state, {}, self.id),
        ]

    def become(self, plan: str, seats: int = 0) -> None:
        state = self.till.there.state
        first, *more = state.get("subscription", self.id)["items"]["data"]
        items = [{"id": first["id"], "price": price_of(self.till, f"plan:api:{plan}")}]
        items += [{"id": each["id"], "deleted": "true"} for each in more]
        if seats:
            items.append({"price": price_of(self.till, f"seat:api:{plan}"), "quantity": str(seats)})
        subscriptions.update(state, {"items": items, "proration_behavior": "always_invoice"}, self.id)

    def buy(self) -> None:
        state = self.till.there.state
        subscription = state.get("subscription", self.id)
        price = state.get("price", price_of(self.till, "pack:api:small"))
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
        charge = self.till.there.state.all("charge")[-1]
        amount = str(round(charge["amount"] * share))
        payments.create_refund(self.till.there.state, {"charge": charge["id"], "amount": amount})

    def dispute(self) -> None:
        payments.dispute(self.till.there.state, self.till.there.state.all("charge")[-1]["id"])

    def end(self, value: str) -> None:
        subscriptions.update(self.till.there.state, {"cancel_at_period_end": value}, self.id)


def expected(till: Till) -> dict[str, int]:
    """Microcredits left of each line's lot: reckoned anew, from what Stripe has."""
    state, lots = till.there.state, dict[str, int]()
    for invoice in state.all("invoice", status="paid"):
        paid = state.all("invoice_payment", invoice=invoice["id"])
        intents = [each["payment"]["payment_intent"] for each in paid]
        back = sum(each["amount"] for each in state.all("refund") if each["payment_intent"] in intents)
        back += sum(each["amount"] for each in state.all("dispute") if each["payment_intent"] in intents)
        lines = [(each, named(till, each)) for each in invoice["lines"]["data"]]
        lost = sum(part(each, key) for each, key in lines if each["amount"] < 0)
        for each, key in lines:
            gained = part(each, key)
            if each["amount"] < 0 or not gained:
                continue
            granted = gained + lost if prorated(each) else gained
            if granted > 0:
                taken = granted * min(back, invoice["amount_paid"]) // (invoice["amount_paid"] or 1)
                lots[f"stripe:{each['id']}"] = granted - taken
    return lots


def named(till: Till, line: Object) -> str:
    price = till.there.state.get("price", line["pricing"]["price_details"]["price"])
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


@pytest.mark.parametrize("seed", range(3))
async def test_a_life_told_in_any_order_and_doubled(till: Till, seed: int) -> None:
    order = random.Random(seed)  # noqa: S311 - nothing is kept secret by it
    id = await till.subscribe("team")
    told = till.there.events()
    for act in Life(till, id).steps:
        with till.there.changing():
            act()
        told += till.there.events()
        await till.hear(order.sample(told, k=min(4, len(told))))
    rest = [*told, *told]
    order.shuffle(rest)
    await till.hear(rest)
    await till.overdue()
    lots = {each.reference: each.granted for each in await till.lots()}
    assert lots == expected(till)
    assert (len(lots), 0 in lots.values()) == (7, True)
    shown = await till.shown()
    assert (shown["plan"], shown["status"], shown["frozen"]) == ("free", None, False)
    assert await (await till.services.get(Reconcile))(Operator()) == []
    await till.is_in_order()
