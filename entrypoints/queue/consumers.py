"""Who acts on what, a row for each consumer: the broker's queues and the dispatcher follow from it."""

from dishka import AsyncContainer
from msgspec import Struct

from application.notifications.send import SendMail
from domain.ids import WorkspaceId
from domain.notifications.events import MailRequested
from entrypoints.queue.receiver import Consumer, Delivery, Handler


class MailRequestedV1(Struct, frozen=True, forbid_unknown_fields=True):
    to: str
    template: str
    sealed: str
    workspace: WorkspaceId | None = None


async def send_mail(services: AsyncContainer, delivery: Delivery, message: MailRequestedV1) -> None:
    event = MailRequested(
        to=message.to, template=message.template, sealed=message.sealed, workspace=message.workspace
    )
    await (await services.get(SendMail))(delivery.consumer, delivery.id, event)


CONSUMERS = (Consumer(name="mail", handlers={(MailRequested.kind, 1): Handler(MailRequestedV1, send_mail)}),)
