"""Mails to whoever has not paid, by the clock."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from application.billing.notices import TellAdmins
from application.billing.ports import BillingTx
from application.catalog.ports import Catalog
from application.ports import Clock, UnitOfWork
from domain.billing.dunning import REMINDER, Dunning, day, dunning
from domain.ids import AccountId
from domain.workspaces.workspace import WorkspaceMissing


@dataclass(frozen=True, slots=True, kw_only=True)
class TellOverdue:
    """The job: two days before nothing can be spent any more, and when that is so. Each once for one debt."""

    catalog: Catalog
    uow: UnitOfWork[BillingTx]
    tell: TellAdmins
    clock: Clock

    async def __call__(self) -> Mapping[str, int]:
        async with self.uow() as tx:
            owing = await tx.accounts.freezing(self.clock.now() + REMINDER)
        return {"told": sum([await self._tell(id, freezes_at) for id, freezes_at in owing])}

    async def _tell(self, id: AccountId, freezes_at: datetime) -> bool:
        now = self.clock.now()
        async with self.uow() as tx:
            account = await tx.accounts.get(id)
        plan = await self.catalog.plan(account.plan)
        notice = dunning(freezes_at, plan.grace_days, now)
        if notice is None:
            return False
        async with self.uow() as tx:
            try:
                workspace = await tx.workspaces.get(account.workspace)
            except WorkspaceMissing:
                return False
            facts = {"plan": plan.name}
            if notice is Dunning.REMINDER:
                facts["freezes_at"] = day(freezes_at)
            return await self.tell.once(
                tx, workspace, id, template=notice, about=str(freezes_at), facts=facts
            )
