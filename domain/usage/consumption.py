"""How much of its credits an account has used up in one of its months."""

from dataclasses import dataclass
from datetime import datetime

from domain.ids import AccountId, WorkspaceId

THRESHOLDS = (80, 100)
"""Percent. Whoever may pay for more is told of each once in a month of the account's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Consumption:
    """Microcredits: what has been ``spent`` in the account's month since ``since``, and what is ``left``.

    What is held is not spent. ``told`` is the highest threshold that was told of in this month, or 0.
    """

    account: AccountId
    workspace: WorkspaceId
    product: str
    since: datetime
    left: int
    spent: int
    told: int = 0

    @property
    def granted(self) -> int:
        """All that there was to spend in this month."""
        return self.left + self.spent

    @property
    def passed(self) -> int | None:
        """The highest threshold, if nobody was told of it yet. Who spent nothing has passed none."""
        reached = [each for each in THRESHOLDS if self.spent * 100 >= self.granted * each]
        return reached[-1] if self.spent > 0 and reached and reached[-1] > self.told else None
