"""What a change in the middle of a period costs: to the second, as Stripe reckons."""

from collections.abc import Mapping
from fractions import Fraction

from tests.fakes.stripe.invoices import line
from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object


def cents(amount: Fraction) -> int:
    """Half a cent goes away from zero."""
    whole = int(abs(amount) + Fraction(1, 2))
    return whole if amount >= 0 else -whole


def prorate(
    state: State,
    subscription: Object,
    old: Mapping[str, Object],
    new: Mapping[str, Object],
    *,
    at: int,
    period: tuple[int, int],
) -> list[Object]:
    """For each item that differs: back what is unused of the old, and what is left for the new."""
    share = Fraction(period[1] - at, period[1] - period[0])
    lines = []
    for id in {**old, **new}:
        before, after = old.get(id), new.get(id)
        if before and after and _asks(before) == _asks(after):
            continue
        for each, sign, told in ((before, -1, "Unused time on"), (after, 1, "Remaining time on")):
            if each is None or not each["quantity"]:
                continue
            name = state.get("product", each["price"]["product"])["name"]
            made = line(
                state,
                each["price"],
                each["quantity"],
                period=(at, period[1]),
                amount=cents(sign * each["price"]["unit_amount"] * each["quantity"] * share),
                subscription=subscription,
                item=id,
                proration=True,
                description=f"{told} {each['quantity']} x {name}",
            )
            lines.append(made)
    return lines


def _asks(item: Object) -> tuple[str, int]:
    return item["price"]["id"], item["quantity"]
