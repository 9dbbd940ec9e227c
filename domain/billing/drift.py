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


@dataclass(frozen=True, slots=True)
class Granted:
    """Of one lot, in microcredits: all that it was granted, and what of that went back."""

    amount: int
    back: int

    def __str__(self) -> str:
        return f"{self.amount}, {self.back} back" if self.back else str(self.amount)


def of_fault(customer: str, fault: str) -> Drift:
    """What is there cannot be understood here: a pack, say, that the catalog never had."""
    return Drift(
        kind="unreadable",
        account=None,
        about=customer,
        here=fault,
        there="there",
        remedy=Remedy.BY_HAND,
    )


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
    account: AccountId, here: Standing, stands: Standing, about: str, *, seats: bool
) -> Iterator[Drift]:
    """``seats``: whether somebody buys seats for the workspace."""
    pairs: dict[str, tuple[object, object]] = {
        "plan": (here.plan, stands.plan),
        "freeze": (here.freezes_at, stands.freezes_at),
    }
    if seats:
        pairs["seats"] = (here.seats, stands.seats)
    for kind, (one, other) in pairs.items():
        if one != other:
            yield _drift(kind, account, about, str(one or "none"), str(other or "none"), Remedy.SUBSCRIPTION)


def of_plan_unpaid(account: AccountId, plan: PlanRef, over: Sequence[Subscription]) -> Iterator[Drift]:
    """A plan that was subscribed to, and is had without that now."""
    for each in over:
        if each.plan == plan:
            yield _drift("plan", account, each.id, str(plan), "over", Remedy.BY_HAND)
            return


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
    account: AccountId, lots: Mapping[str, Granted], dues: Mapping[str, tuple[Due, Invoice]]
) -> Iterator[Drift]:
    """``lots`` are by reference, and so is what paid invoices stand for."""
    for reference, (due, invoice) in dues.items():
        found, wanted = lots.get(reference), Granted(due.amount, due.back(invoice))
        if found != wanted:
            yield _drift("lot", account, invoice.id, str(found or "none"), str(wanted), Remedy.INVOICE)
    for reference, found in lots.items():
        if reference not in dues:
            yield _drift("lot", account, reference, str(found), "not paid", Remedy.BY_HAND)


def _shown(subscription: Subscription | None) -> str:
    if subscription is None:
        return "none"
    period = f"until {subscription.period_end:%Y-%m-%d}"
    return f"{subscription.status} {subscription.plan} + {subscription.seats} {period}"


def _drift(kind: str, account: AccountId, about: str, here: str, there: str, remedy: Remedy) -> Drift:  # noqa: PLR0917 - all of one thing
    return Drift(kind=kind, account=account, about=about, here=here, there=there, remedy=remedy)
