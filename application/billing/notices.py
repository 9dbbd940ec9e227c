"""Whoever looks after a workspace hears of what needs them."""

from collections.abc import Mapping
from dataclasses import dataclass

from application.billing.ports import BillingTx
from application.notifications.post import PostMail
from application.ports import Clock
from domain.identity.mail import Mail
from domain.ids import AccountId
from domain.workspaces.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TellAdmins:
    """A mail to the owner and the admins, in the transaction of what it tells of."""

    post: PostMail
    clock: Clock

    async def once(
        self,
        tx: BillingTx,
        workspace: Workspace,
        account: AccountId,
        *,
        template: str,
        about: str,
        facts: Mapping[str, str],
    ) -> bool:
        """Unless they were told of ``about`` before. ``facts`` are besides the workspace's name."""
        new = await tx.notices.first(account, template, about, self.clock.now())
        if new:
            await self(tx, workspace, template, facts)
        return new

    async def __call__(
        self, tx: BillingTx, workspace: Workspace, template: str, facts: Mapping[str, str]
    ) -> None:
        told = {"workspace": workspace.name, **facts}
        for address in await tx.members.admins(workspace.id):
            await self.post(tx, Mail(to=address, template=template, facts=told))
