from dataclasses import dataclass
from datetime import datetime

from domain.ids import AccountId, PlanRef, WorkspaceId
from domain.usage.errors import AccountParked, PaymentOverdue, WorkspaceFrozen


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The credits of one workspace for one product.

    ``anchor`` is the instant that its periods are counted from; ``period_end`` is when the allocation
    last opened runs out (None before the first). A ``parked`` one has books that are being checked; an
    ``overdue`` one is not paid for.
    """

    id: AccountId
    workspace: WorkspaceId
    plan: PlanRef
    frozen: bool
    anchor: datetime
    period_end: datetime | None = None
    parked: bool = False
    overdue: bool = False
    top_up_below: int | None = None
    """Microcredits: below that, more are bought by themselves."""

    def check_may_spend(self) -> None:
        """Raises WorkspaceFrozen, AccountParked, PaymentOverdue."""
        if self.frozen:
            raise WorkspaceFrozen
        if self.parked:
            raise AccountParked
        if self.overdue:
            raise PaymentOverdue
