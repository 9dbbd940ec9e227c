from dataclasses import dataclass

from application.access import OperationDenied
from application.actor import Member, Operator
from application.audit.ports import AuditTx
from application.ports import Clock, NewId
from domain.audit.entry import ActorKind, Entry, Facts
from domain.ids import EntryId, WorkspaceId
from domain.workspaces.role import Role
from domain.workspaces.workspace import WorkspaceMissing


@dataclass(frozen=True, slots=True)
class Record:
    """Writes the audit log, in the transaction of what it tells of.

    Whoever acts was let in by what was known up to a second before. Who has been removed, disabled or demoted
    meanwhile changes nothing any more. So call it before what changes the actor's own place.
    """

    clock: Clock
    new_id: NewId

    async def __call__(
        self,
        tx: AuditTx,
        actor: Member | Operator,
        workspace: WorkspaceId,
        action: str,
        target: str,
        *,
        before: Facts | None = None,
        after: Facts | None = None,
    ) -> None:
        """Raises WorkspaceMissing, OperationDenied."""
        if isinstance(actor, Member):
            await _check_standing(tx, actor, action)
        person = actor.person if isinstance(actor, Member) else None
        entry = Entry(
            workspace=workspace,
            id=EntryId(self.new_id()),
            at=self.clock.now(),
            actor_kind=ActorKind.OPERATOR if person is None else ActorKind.USER,
            actor=None if person is None else person.user,
            address=None if person is None else person.address,
            action=action,
            target=target,
            before=before,
            after=after,
        )
        await tx.audit.add(entry)


async def _check_standing(tx: AuditTx, actor: Member, action: str) -> None:
    place = await tx.members.find(actor.workspace, actor.person.user)
    if place is None or not place.enabled:
        raise WorkspaceMissing
    if place.role is Role.MEMBER and actor.role is not Role.MEMBER:
        raise OperationDenied(action, (Role.OWNER, Role.ADMIN))
