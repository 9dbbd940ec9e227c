from dataclasses import dataclass
from typing import ClassVar, Protocol

from application.events.ports import Inbox
from application.identity.ports import Secrecy
from application.notifications.ports import MailTransport
from application.notifications.post import opened
from application.ports import UnitOfWork
from domain.errors import Invalid
from domain.events import EventId
from domain.notifications.events import MailRequested


class InboxTx(Protocol):
    @property
    def inbox(self) -> Inbox: ...


@dataclass(eq=False)
class MailUnreadable(Invalid):
    code: ClassVar[str] = "mail_unreadable"

    def __str__(self) -> str:
        return "the mail was sealed with a secret that is no longer among those of CUEBX_SECRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMail:
    """It leaves under the event's id: one that left before its mark was written does not leave twice."""

    uow: UnitOfWork[InboxTx]
    secrecy: Secrecy
    transport: MailTransport

    async def __call__(self, consumer: str, id: EventId, event: MailRequested) -> None:
        """Raises MailUnreadable, MailRefused, MailDelayed."""
        async with self.uow() as tx:
            if await tx.inbox.has(consumer, id):
                return
        try:
            mail = opened(self.secrecy, event)
        except ValueError as error:
            raise MailUnreadable from error
        await self.transport.deliver(id, mail)
        async with self.uow() as tx:
            await tx.inbox.take(consumer, id)
