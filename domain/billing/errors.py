from dataclasses import dataclass
from typing import ClassVar

from domain.errors import Away, Conflict, Invalid, Missing, Unaffordable, Unauthenticated


class BillingOff(Conflict):
    code: ClassVar[str] = "billing_off"

    def __str__(self) -> str:
        return "this installation sells nothing: it has no Stripe key"


@dataclass(eq=False)
class PaymentsUnavailable(Away):
    """``reason`` is the kind of fault. What was asked may have been done or not, and is safe to repeat."""

    code: ClassVar[str] = "payments_unavailable"
    reason: str
    retry_after: int = 5

    def __str__(self) -> str:
        return "Stripe is away or slow; repeat the request, which is never paid twice"


@dataclass(eq=False)
class PaymentDeclined(Unaffordable):
    """``reason`` is Stripe's code."""

    code: ClassVar[str] = "payment_declined"
    reason: str

    def __str__(self) -> str:
        return f"the payment was declined ({self.reason}); nothing has changed: use another card"


@dataclass(eq=False)
class PaymentsRefused(Conflict):
    """Stripe takes the request for a mistake: a fault of the catalog there, or of ours."""

    code: ClassVar[str] = "payments_refused"
    reason: str

    def __str__(self) -> str:
        return f"Stripe refused the request ({self.reason})"


@dataclass(eq=False)
class PricesClash(Conflict):
    """``prices`` are what they sell, with Stripe's ids. Somebody made or changed them there."""

    code: ClassVar[str] = "prices_clash"
    prices: tuple[str, ...]

    def __str__(self) -> str:
        named = ", ".join(self.prices)
        return (
            f"prices at Stripe ask for something else than the catalog: {named};"
            " publish under another key, or take `cuebx` out of the metadata of those prices"
        )


@dataclass(eq=False)
class PlanNotSold(Conflict):
    """A plan that is free or that has no price at Stripe."""

    code: ClassVar[str] = "plan_not_sold"
    what: str

    def __str__(self) -> str:
        return f"{self.what} cannot be bought: it is free, or not published to Stripe"


@dataclass(eq=False)
class AlreadySubscribed(Conflict):
    code: ClassVar[str] = "already_subscribed"
    product: str

    def __str__(self) -> str:
        return f"the workspace has a subscription of {self.product} already: change that one"


@dataclass(eq=False)
class NotSubscribed(Missing):
    code: ClassVar[str] = "not_subscribed"
    product: str

    def __str__(self) -> str:
        return f"the workspace has no subscription of {self.product}"


@dataclass(eq=False)
class StillSubscribed(Conflict):
    """What is deleted must not be paid for any more."""

    code: ClassVar[str] = "still_subscribed"
    products: tuple[str, ...]

    def __str__(self) -> str:
        named = ", ".join(self.products)
        return f"the workspace still pays for {named}: cancel the subscription first, now or at period end"


@dataclass(eq=False)
class InvoiceOpen(Conflict):
    """What is not paid for is not changed."""

    code: ClassVar[str] = "invoice_open"
    product: str

    def __str__(self) -> str:
        return f"an invoice of {self.product} is not paid: pay it first, and then change the subscription"


class QuoteOver(Conflict):
    code: ClassVar[str] = "quote_over"

    def __str__(self) -> str:
        return "there is no such preview, it is too old, or the subscription has changed since: preview again"


@dataclass(eq=False)
class PackMissing(Missing):
    code: ClassVar[str] = "pack_missing"
    product: str
    pack: str

    def __str__(self) -> str:
        return f"{self.product} has no pack {self.pack!r}"


@dataclass(eq=False)
class SeatsRefused(Invalid):
    """``least`` and ``most`` seats are possible under the plan, its own included."""

    code: ClassVar[str] = "seats_refused"
    least: int
    most: int

    def __str__(self) -> str:
        return (
            f"seats must be from {self.least} to {self.most}: as many as there are enabled members, at least"
        )


@dataclass(eq=False)
class SignatureRefused(Unauthenticated):
    """``reason`` is for whoever sets it up."""

    code: ClassVar[str] = "signature_refused"
    reason: str

    def __str__(self) -> str:
        return f"the Stripe-Signature does not fit: {self.reason}"
