import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

from application.actor import Member
from application.audit.record import Record
from application.billing.leave import LeavingTx, check_pays_nothing, leave
from application.keys.keys import RevokeKeys
from application.keys.ports import KeysTx
from application.ports import Clock, UnitOfWork
from application.usage.ports import Ledger, UsageReader
from application.workspaces.ports import HeldAccounts, Invitations, Workspaces
from domain.ids import AccountId, ReservationId, workspace_text
from domain.usage.errors import ReservationExpired, ReservationMissing, ReservationSettled
from domain.usage.settle import Release
from domain.workspaces.workspace import Workspace

_AT_ONCE = 100


class DeletionTx(KeysTx, LeavingTx, Protocol):
    @property
    def workspaces(self) -> Workspaces: ...

    @property
    def accounts(self) -> HeldAccounts: ...

    @property
    def invitations(self) -> Invitations: ...


@dataclass(frozen=True, slots=True)
class Deleted:
    """``released`` is how many holds were given back."""

    workspace: Workspace
    released: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteWorkspace:
    """Keys, invitations and spending end at once, and the books stay.

    A hold whose call has not begun is given back. A call that runs is still charged what it used: its service
    settles it as usual, or its deadline does by the feature's rule.
    """

    uow: UnitOfWork[DeletionTx]
    ledger: Ledger
    reader: UsageReader
    revoke_keys: RevokeKeys
    clock: Clock
    record: Record

    async def __call__(self, actor: Member, typed: str) -> Deleted:
        """Raises WorkspaceMissing, PersonalWorkspace, NameNotTyped, StillSubscribed."""
        now = self.clock.now()
        async with self.uow() as tx:
            before = await tx.workspaces.get(actor.workspace)
            deleted = before.delete(typed, now)
            await check_pays_nothing(tx, before.id)
            await self.revoke_keys(tx, actor, before.id)
            for each in await tx.invitations.open(before.id):
                await tx.invitations.save(each.revoke(now))
            # No batch of the ledger is half-way through these accounts when spending stops.
            accounts = await tx.accounts.hold(before.id)
            await tx.workspaces.save(deleted)
            await leave(tx, before.id)
            target, facts = workspace_text(before.id), {"name": before.name, "slug": before.slug}
            await self.record(tx, actor, before.id, "workspace.deleted", target, before=facts)
        released = sum([await self._release(account.id) for account in accounts])
        return Deleted(deleted, released)

    async def _release(self, account: AccountId) -> int:
        """All that is held. Should this process die meanwhile, the rest of it ends at its deadline."""
        released = 0
        while held := await self.reader.unstarted(account, limit=_AT_ONCE):
            released += sum(await asyncio.gather(*(self._give_back(account, each) for each in held)))
        return released

    async def _give_back(self, account: AccountId, id: ReservationId) -> bool:
        with suppress(ReservationSettled, ReservationExpired, ReservationMissing):
            await self.ledger.execute(Release(account=account, reservation=id))
            return True
        return False
