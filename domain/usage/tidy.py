from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.ids import AccountId
from domain.usage.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Tidy:
    """Write down what time has done: to decide anything at all opens the account."""

    account: AccountId

    reservation: None = None
    request: None = None
    reference: None = None
    run: None = None
    subjects: tuple[UUID, ...] = ()

    def decide(self, desk: Desk, now: datetime) -> None:
        """Nothing more."""
