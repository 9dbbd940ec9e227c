from application.features.ports import Runs
from domain.features.run import Outcome
from domain.ids import AccountId, ReservationId


class MemoryRuns(Runs):
    def __init__(self) -> None:
        self._outcomes: dict[tuple[AccountId, ReservationId], Outcome] = {}

    async def keep(self, account: AccountId, id: ReservationId, outcome: Outcome) -> None:
        self._outcomes.setdefault((account, id), outcome)

    async def find(self, account: AccountId, id: ReservationId) -> Outcome | None:
        return self._outcomes.get((account, id))
