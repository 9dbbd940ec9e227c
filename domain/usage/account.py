from dataclasses import dataclass
from datetime import datetime

from domain.ids import AccountId, PlanRef, WorkspaceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The credits of one workspace for one product.

    ``anchor`` is the instant that its periods are counted from; ``period_end`` is when the allocation
    last opened runs out (None before the first).
    """

    id: AccountId
    workspace: WorkspaceId
    plan: PlanRef
    frozen: bool
    anchor: datetime
    period_end: datetime | None = None
