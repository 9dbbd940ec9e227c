from collections.abc import Awaitable, Callable
from typing import TypeVar

from application.ports import Clock, NewId
from application.usage.ports import Ledger
from domain.ids import AccountId, PlanRef
from domain.usage.account import Account
from domain.usage.desk import Command, Desk
from domain.usage.errors import AccountMissing, ReservationMissing
from domain.usage.low import decide
from domain.usage.terms import Terms

T = TypeVar("T")


class MemoryLedger(Ledger):
    """The domain without the database: every account is a desk that is never cleared."""

    def __init__(self, terms: Callable[[PlanRef], Awaitable[Terms]], clock: Clock, new_id: NewId) -> None:
        self._terms = terms
        self._clock = clock
        self._new_id = new_id
        self.desks: dict[AccountId, Desk] = {}

    async def open(self, account: Account) -> None:
        terms = await self._terms(account.plan)
        self.desks[account.id] = Desk(account=account, terms=terms, new_id=self._new_id)

    async def execute(self, command: Command[T]) -> T:
        desk = self.desks.get(command.account)
        if desk is None:
            raise ReservationMissing if command.reservation else AccountMissing
        now = self._clock.now()
        desk.open(now)
        return decide(command, desk, now)
