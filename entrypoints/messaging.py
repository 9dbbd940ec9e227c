"""How messages travel: through RabbitMQ where there is one, else through PostgreSQL alone."""

from collections.abc import AsyncIterator

from dishka import Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.deliveries import SqlDeliveries
from adapters.postgres.dispatcher import SqlDispatcher
from adapters.postgres.outbox import SqlOutboxQueue
from application.events.bell import Bell
from application.events.ports import Consuming, OutboxQueue, Publisher
from entrypoints.queue.consumers import CONSUMERS
from entrypoints.settings import Settings

SUBSCRIPTIONS = [each.subscription for each in CONSUMERS]


class Transport:
    """Both ends of it."""

    def __init__(self, publisher: Publisher, consuming: Consuming) -> None:
        self.publisher = publisher
        self.consuming = consuming


class Messaging(Provider):
    scope = Scope.APP

    queue = provide(SqlOutboxQueue, provides=OutboxQueue)
    bell = provide(Bell)

    @provide
    async def transport(
        self, settings: Settings, engine: AsyncEngine, bell: Bell
    ) -> AsyncIterator[Transport]:
        if settings.rabbitmq_url is None:
            deliveries = SqlDeliveries(engine, SUBSCRIPTIONS)
            yield Transport(deliveries, SqlDispatcher(deliveries, bell))
            return
        from adapters.rabbitmq.broker import RabbitBroker  # noqa: PLC0415 - large, and no server needs it
        from adapters.rabbitmq.topology import Topology  # noqa: PLC0415

        broker = RabbitBroker(settings.rabbitmq_url, Topology(SUBSCRIPTIONS, settings.rabbitmq_prefix))
        yield Transport(broker, broker)
        await broker.close()

    @provide
    def publisher(self, transport: Transport) -> Publisher:
        return transport.publisher

    @provide
    def consuming(self, transport: Transport) -> Consuming:
        return transport.consuming
