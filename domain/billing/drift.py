"""Where the two books differ, and what puts it right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from domain.billing.invoice import Due, Invoice
from domain.billing.standing import Standing
from domain.billing.subscription import Subscription
from domain.ids import AccountId, PlanRef


class Remedy(StrEnum):
    SUBSCRIPTION = "read the subscription again"
    INVOICE = "read the invoice again"
    CUSTOMER = "delete the customer"
    BY_HAND = "look at it: no machine can know"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """``here`` is CueBX, ``there`` Stripe; ``about`` is Stripe's id. A customer is of no one account."""

    kind: str
    account: AccountId | None
    about: str
    here: str
    there: str
    remedy: Remedy


def of_customer(id: str) -> Drift:
    """Whose workspace was deleted."""
    return Drift(
        kind="customer",
        account=None,
        about=id,
        here="deleted",
        there="there",
        remedy=Remedy.CUSTOMER,
    )


def of_subscriptions(
    account: AccountId, here: Sequence[Subscription], there: Sequence[Subscription]
) -> Iterator[Drift]:
    known = {each.id: each for each in here}
    for each in there:
        one = known.pop(each.id, None)
        if one != each:
            fault, other = _shown(one), _shown(each)
            yield _drift("subscription", account, each.id, fault, other, Remedy.SUBSCRIPTION)
    for gone in known.values():
        if not gone.over:
            yield _drift("subscription", account, gone.id, _shown(gone), "none", Remedy.BY_HAND)
    live = [each for each in there if each.entitled]
    for each in live[1:]:
        told = f"one more than {live[0].id}"
        yield _drift("second_subscription", account, each.id, "one for a product", told, Remedy.BY_HAND)


def of_standing(
    account: AccountId, plan: PlanRef, seats: int | None, stands: Standing, about: str
) -> Iterator[Drift]:
    """``seats`` are the workspace's, None where nobody buys seats for it."""
    if plan != stands.plan:
        yield _drift("plan", account, about, str(plan), str(stands.plan), Remedy.SUBSCRIPTION)
    if seats is not None and seats != stands.seats:
        yield _drift("seats", account, about, str(seats), str(stands.seats), Remedy.SUBSCRIPTION)


def of_invoices(account: AccountId, here: Sequence[Invoice], there: Sequence[Invoice]) -> Iterator[Drift]:
    known = {each.id: each for each in here}
    for each in there:
        one = known.pop(each.id, None)
        if one != replace(each, lines=()):
            fault = "none" if one is None else f"{one.status}, {one.paid} paid, {one.taken_back} back"
            other = f"{each.status}, {each.paid} paid, {each.taken_back} back"
            yield _drift("invoice", account, each.id, fault, other, Remedy.INVOICE)
    for gone in known.values():
        yield _drift("invoice", account, gone.id, gone.status, "none", Remedy.BY_HAND)


def of_lots(
    account: AccountId, lots: Mapping[str, int], dues: Mapping[str, tuple[Due, str]]
) -> Iterator[Drift]:
    """``lots`` are microcredits by reference, ``dues`` what paid invoices stand for, with the invoice."""
    for reference, (due, invoice) in dues.items():
        if lots.get(reference) != due.amount:
            found = str(lots.get(reference, "none"))
            yield _drift("lot", account, invoice, found, str(due.amount), Remedy.INVOICE)
    for reference, amount in lots.items():
        if reference not in dues:
            yield _drift("lot", account, reference, str(amount), "not paid", Remedy.BY_HAND)


def _shown(subscription: Subscription | None) -> str:
    if subscription is None:
        return "none"
    period = f"until {subscription.period_end:%Y-%m-%d}"
    return f"{subscription.status} {subscription.plan} + {subscription.seats} {period}"


def _drift(kind: str, account: AccountId, about: str, here: str, there: str, remedy: Remedy) -> Drift:  # noqa: PLR0917 - all of one thing
    return Drift(kind=kind, account=account, about=about, here=here, there=there, remedy=remedy)
