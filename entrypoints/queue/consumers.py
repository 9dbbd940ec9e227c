"""Who acts on what, a row for each consumer: the broker's queues and the dispatcher follow from it."""

from dishka import AsyncContainer
from msgspec import Struct

from application.billing.auto import BuyAutomatically
from application.billing.leave import CloseCustomer
from application.billing.told import ActOnStripeEvent
from application.features.execute import ExecuteRun
from application.features.tell import TellRunEnd
from application.notifications.send import SendMail
from domain.billing.events import CustomerGone, StripeTold
from domain.ids import AccountId, BatchId, ReservationId, WorkspaceId
from domain.notifications.events import MailRequested
from domain.usage.low import CreditsLow
from domain.usage.queued_run import RunQueued, RunSettled
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


class RunQueuedV1(Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountId
    run: ReservationId
    feature: str
    workspace: WorkspaceId


async def execute_run(services: AsyncContainer, _: Delivery, message: RunQueuedV1) -> None:
    event = RunQueued(
        account=message.account, run=message.run, feature=message.feature, workspace=message.workspace
    )
    await (await services.get(ExecuteRun))(event)


class RunSettledV1(Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountId
    run: ReservationId
    batch: BatchId | None
    workspace: WorkspaceId


async def tell_run_end(services: AsyncContainer, delivery: Delivery, message: RunSettledV1) -> None:
    event = RunSettled(
        account=message.account, run=message.run, batch=message.batch, workspace=message.workspace
    )
    await (await services.get(TellRunEnd))(delivery.consumer, delivery.id, event)


class StripeToldV1(Struct, frozen=True, forbid_unknown_fields=True):
    event: str
    type: str
    about: str
    payment: str | None = None
    workspace: WorkspaceId | None = None


async def act_on_stripe(services: AsyncContainer, _: Delivery, message: StripeToldV1) -> None:
    event = StripeTold(event=message.event, type=message.type, about=message.about, payment=message.payment)
    await (await services.get(ActOnStripeEvent))(event)


class CustomerGoneV1(Struct, frozen=True, forbid_unknown_fields=True):
    workspace: WorkspaceId


async def close_customer(services: AsyncContainer, _: Delivery, message: CustomerGoneV1) -> None:
    await (await services.get(CloseCustomer))(message.workspace)


class CreditsLowV1(Struct, frozen=True, forbid_unknown_fields=True):
    account: AccountId
    workspace: WorkspaceId


async def buy_automatically(services: AsyncContainer, _: Delivery, message: CreditsLowV1) -> None:
    await (await services.get(BuyAutomatically))(message.account)


CONSUMERS: tuple[Consumer, ...] = (
    Consumer(name="mail", handlers={(MailRequested.kind, 1): Handler(MailRequestedV1, send_mail)}),
    Consumer(name="runs", handlers={(RunQueued.kind, 1): Handler(RunQueuedV1, execute_run)}, at_once=16),
    Consumer(
        name="billing",
        handlers={
            (StripeTold.kind, 1): Handler(StripeToldV1, act_on_stripe),
            (CustomerGone.kind, 1): Handler(CustomerGoneV1, close_customer),
        },
    ),
    Consumer(name="top-ups", handlers={(CreditsLow.kind, 1): Handler(CreditsLowV1, buy_automatically)}),
    Consumer(name="run-ends", handlers={(RunSettled.kind, 1): Handler(RunSettledV1, tell_run_end)}),
)
