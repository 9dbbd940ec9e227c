from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from application.events.ports import Inbox
from application.features.queued import BatchStanding, QueuedRuns
from application.identity.ports import Users
from application.keys.ports import Keys
from application.notifications.post import MailTx, PostMail
from application.ports import UnitOfWork
from application.workspaces.ports import Members, Workspaces
from domain.credits import format_credits
from domain.events import EventId
from domain.features.run import run_text
from domain.identity.mail import Mail
from domain.identity.user import UserMissing
from domain.ids import AccountId, BatchId, batch_text
from domain.keys.errors import KeyMissing
from domain.usage.queued_run import QueuedRun, RunMissing, RunSettled, RunState
from domain.workspaces.role import Role
from domain.workspaces.workspace import WorkspaceMissing

_MOST_OWNERS = 100


class RunBatches(Protocol):
    async def end(self, account: AccountId, id: BatchId) -> bool:
        """Whether this transaction is the one to tell that all its runs have ended."""


class TellTx(MailTx, Protocol):
    @property
    def inbox(self) -> Inbox: ...

    @property
    def run_batches(self) -> RunBatches: ...

    @property
    def keys(self) -> Keys: ...

    @property
    def users(self) -> Users: ...

    @property
    def members(self) -> Members: ...

    @property
    def workspaces(self) -> Workspaces: ...


@dataclass(frozen=True, slots=True)
class TellRunEnd:
    """A mail to whoever made the key that asked, or to the owner where that was nobody: of a batch, one."""

    uow: UnitOfWork[TellTx]
    runs: QueuedRuns
    post: PostMail

    async def __call__(self, consumer: str, id: EventId, event: RunSettled) -> None:
        try:
            run = await self.runs.get(event.account, event.run)
            batch = None if event.batch is None else await self.runs.batch(event.account, event.batch)
        except RunMissing:  # deleted meanwhile
            return
        if batch is not None and batch.open:
            return
        async with self.uow() as tx:
            if not await tx.inbox.take(consumer, id):
                return
            if batch is not None and not await tx.run_batches.end(event.account, batch.batch.id):
                return
            try:
                workspace = await tx.workspaces.get(event.workspace)
            except WorkspaceMissing:
                return
            template, facts = _told(run, batch, workspace.name)
            for address in await _whom(tx, run):
                await self.post(tx, Mail(to=address, template=template, facts=facts))


async def _whom(tx: TellTx, run: QueuedRun) -> Sequence[str]:
    if run.key is not None:
        try:
            maker = (await tx.keys.get(run.key)).created_by
            if maker is not None:
                return [(await tx.users.get(maker, lock=False)).email.text]
        except (KeyMissing, UserMissing):
            pass
    found = await tx.members.shown(run.workspace, after=None, limit=_MOST_OWNERS)
    return [each.email for each in found if each.membership.role is Role.OWNER and each.email is not None]


def _told(run: QueuedRun, batch: BatchStanding | None, workspace: str) -> tuple[str, dict[str, str]]:
    facts = {"feature": run.feature, "workspace": workspace}
    if batch is not None:
        done, failed = (str(batch.counts.get(each, 0)) for each in (RunState.DONE, RunState.FAILED))
        ended = {"done": done, "failed": failed, "charged": format_credits(batch.charged)}
        return "batch_finished", {**facts, **ended, "batch": batch_text(run.account, batch.batch.id)}
    facts["run"] = run_text(run.account, run.id)
    if run.state is RunState.DONE:
        return "run_finished", {**facts, "charged": format_credits(run.charged)}
    return "run_failed", {**facts, "reason": run.failure or run.state}
