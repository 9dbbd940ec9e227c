from dataclasses import dataclass

from application.actor import Member, Operator
from application.audit.ports import AuditTx
from application.ports import Clock, NewId
from domain.audit.entry import ActorKind, Entry, Facts
from domain.ids import EntryId, WorkspaceId


@dataclass(frozen=True, slots=True)
class Record:
    """Writes the audit log, in the transaction of what it tells of."""

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
