from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.notifications.post import MailTx, PostMail
from application.ports import Clock, UnitOfWork
from domain.credits import format_credits
from domain.identity.mail import Mail
from domain.ids import AccountId, WorkspaceId
from domain.usage.consumption import THRESHOLDS, Consumption
from domain.workspaces.workspace import Workspace, WorkspaceMissing

PAGE = 500
ALL = 100


class CreditUse(Protocol):
    async def page(self, *, after: AccountId | None, limit: int) -> Sequence[Consumption]:
        """Of accounts behind ``after``, each in the month of its own that holds the database's now.

        Without those of deleted workspaces.
        """


class CreditAlerts(Protocol):
    async def mark(self, of: Consumption, thresholds: Sequence[int], at: datetime) -> bool:
        """That they are told of. False where the last of them had been, in the same month."""


class Addressees(Protocol):
    async def admins(self, workspace: WorkspaceId) -> Sequence[str]:
        """The e-mail addresses of its owner and its admins that are enabled."""


class AlertedWorkspaces(Protocol):
    async def get(self, id: WorkspaceId) -> Workspace:
        """Raises WorkspaceMissing."""


class AlertsTx(MailTx, Protocol):
    @property
    def alerts(self) -> CreditAlerts: ...

    @property
    def members(self) -> Addressees: ...

    @property
    def workspaces(self) -> AlertedWorkspaces: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TellThresholds:
    """Tells the owner and admins of a workspace when most of its credits, or all of them, are spent.

    Once for each threshold and month; of two that were passed at once, of the higher one alone.
    """

    use: CreditUse
    uow: UnitOfWork[AlertsTx]
    post: PostMail
    clock: Clock

    async def __call__(self) -> Mapping[str, int]:
        told, after = 0, None
        while page := await self.use.page(after=after, limit=PAGE):
            after = page[-1].account
            for each in page:
                if each.passed is not None:
                    told += await self._tell(each, each.passed)
        return {"told": told}

    async def _tell(self, of: Consumption, threshold: int) -> bool:
        async with self.uow() as tx:
            mails = await self._within(tx, of, threshold)
            for mail in mails:
                await self.post(tx, mail)
        return bool(mails)

    async def _within(self, tx: AlertsTx, of: Consumption, threshold: int) -> list[Mail]:
        try:
            workspace = await tx.workspaces.get(of.workspace)
        except WorkspaceMissing:  # deleted meanwhile
            return []
        passed = [each for each in THRESHOLDS if each <= threshold]
        if not await tx.alerts.mark(of, passed, self.clock.now()):
            return []
        facts = {"workspace": workspace.name, "product": of.product}
        if threshold < ALL:
            facts |= {"left": format_credits(of.left), "granted": format_credits(of.granted)}
        template = f"credits_{threshold}"
        return [Mail(to=to, template=template, facts=facts) for to in await tx.members.admins(workspace.id)]
