from collections.abc import Sequence
from dataclasses import dataclass

from adapters.memory.ledger import MemoryLedger
from application.ports import Clock
from application.usage.alerts import CreditUse
from domain.ids import AccountId
from domain.period import month_of
from domain.usage.consumption import Consumption
from domain.usage.desk import Desk
from domain.usage.lot import Source
from tests.fakes.unit_of_work import FakeUnitOfWork


@dataclass
class FakeCreditUse(CreditUse):
    """Reads the desks of a ledger in memory."""

    ledger: MemoryLedger
    work: FakeUnitOfWork
    clock: Clock

    async def page(self, *, after: AccountId | None, limit: int) -> Sequence[Consumption]:
        ids = [id for id in sorted(self.ledger.desks) if after is None or id > after]
        return [self._of(self.ledger.desks[id]) for id in ids[:limit]]

    def _of(self, desk: Desk) -> Consumption:
        now, account = self.clock.now(), desk.account
        since = month_of(account.anchor, now).start
        own = [each for each in desk.lots.values() if each.source is not Source.OVERDRAFT and each.live(now)]
        return Consumption(
            account=account.id,
            workspace=account.workspace,
            product=account.plan.product,
            since=since,
            left=sum(each.granted - each.spent for each in own),
            spent=sum(each.charged for each in desk.records if each.recorded_at >= since),
            told=max((of for *key, of in self.work.alerts if key == [account.id, since]), default=0),
        )
