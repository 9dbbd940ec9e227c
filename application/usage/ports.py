from collections.abc import Sequence
from typing import Protocol, TypeVar

from domain.ids import AccountId, ReservationId, WorkspaceId
from domain.usage.account import Account
from domain.usage.desk import Command
from domain.usage.limits import Limit, Standing
from domain.usage.reservation import Reservation

T = TypeVar("T")


class Ledger(Protocol):
    """The hot path. Each command is one atomic step, decided by itself (``Command.decide``) and durable
    before its answer is given; the time it decides by is the database's.

    Raises what the command raises, AccountMissing, and DatabaseUnavailable (nothing was changed, or the
    outcome is unknown: the same command may be sent again).
    """

    async def execute(self, command: Command[T]) -> T: ...


class RateLimiter(Protocol):
    """Counts calls in moving windows."""

    async def hit(
        self, workspace: WorkspaceId, product: str, limits: Sequence[Limit]
    ) -> tuple[Standing, ...]:
        """Count one call and say where the workspace stands, a standing for each limit.

        Raises RateLimited where one of them is used up. No limits: an empty answer at no cost.
        """


class Balances(Protocol):
    async def of(self, account: AccountId) -> "Balance":
        """As of now by the database's clock. Raises AccountMissing."""


class Reservations(Protocol):
    async def get(self, account: AccountId, id: ReservationId) -> Reservation:
        """As it stands now: one past its deadline is expired. Raises ReservationMissing."""


Balance = tuple[Account, int]  # placeholder until queries.py
