from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from domain.credits import format_credits
from domain.errors import Conflict, Denied, Invalid, Missing, Unaffordable


@dataclass(eq=False)
class InsufficientCredits(Unaffordable):
    """``needed`` and ``available`` are microcredits."""

    code: ClassVar[str] = "insufficient_credits"
    needed: int
    available: int

    def __str__(self) -> str:
        needed, available = format_credits(self.needed), format_credits(self.available)
        return f"the call may cost {needed} credits, and {available} are available"


@dataclass(eq=False)
class FeatureNotInPlan(Denied):
    code: ClassVar[str] = "feature_not_in_plan"
    feature: str
    plan: str

    def __str__(self) -> str:
        return f"the plan {self.plan} does not hold the feature {self.feature!r}"


@dataclass(eq=False)
class WorkspaceFrozen(Denied):
    code: ClassVar[str] = "workspace_frozen"

    def __str__(self) -> str:
        return "the workspace is frozen: it can read, but not spend"


@dataclass(eq=False)
class AccountParked(Denied):
    code: ClassVar[str] = "account_parked"

    def __str__(self) -> str:
        return (
            "the books of this account are being checked, and it cannot spend until that is done;"
            " nothing was charged: ask whoever runs this service"
        )


class AccountMissing(Missing):
    code: ClassVar[str] = "account_missing"

    def __str__(self) -> str:
        return "there is no such account"


class ReservationMissing(Missing):
    code: ClassVar[str] = "reservation_missing"

    def __str__(self) -> str:
        return "there is no such reservation"


@dataclass(eq=False)
class ReservationSettled(Conflict):
    """It was settled before, in another way or with other figures."""

    code: ClassVar[str] = "reservation_settled"
    state: str
    settled_at: datetime

    def __str__(self) -> str:
        return f"the reservation was {self.state} before, and not as now asked"


@dataclass(eq=False)
class ReservationExpired(Conflict):
    code: ClassVar[str] = "reservation_expired"
    expired_at: datetime

    def __str__(self) -> str:
        return "the reservation's deadline has passed; extend a long call before it does"


class RequestKeyReused(Invalid):
    """draft-ietf-httpapi-idempotency-key-header, section 2.7: the key came with another payload."""

    code: ClassVar[str] = "idempotency_key_reused"

    def __str__(self) -> str:
        return "this Idempotency-Key was used before for another request"


@dataclass(eq=False)
class LotMissing(Missing):
    code: ClassVar[str] = "lot_missing"
    reference: str

    def __str__(self) -> str:
        return f"nothing was granted for {self.reference!r}"


class PaymentOverdue(Denied):
    code: ClassVar[str] = "payment_overdue"

    def __str__(self) -> str:
        return "the subscription is not paid, and its time of grace is over: pay the open invoice to go on"


@dataclass(eq=False)
class GrantReferenceReused(Conflict):
    code: ClassVar[str] = "grant_reference_reused"
    reference: str

    def __str__(self) -> str:
        return f"the reference {self.reference!r} names an earlier grant of another kind or amount"
