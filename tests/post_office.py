"""The worker's part, step by step: what was committed is acted on before a test goes on."""

from dishka import AsyncContainer

from adapters.postgres.deliveries import SqlDeliveries
from application.events.dead_letters import Bury
from application.events.ports import Publisher
from application.events.relay import Relay
from application.metrics import Meter
from domain.events import Again, Dead, Done
from entrypoints.queue.consumers import CONSUMERS
from entrypoints.queue.receiver import Receiver


async def deliver(services: AsyncContainer) -> None:
    """All that is due. What is to be tried again is left for later."""
    deliveries = await services.get(Publisher)
    assert isinstance(deliveries, SqlDeliveries)
    relay, bury = await services.get(Relay), await services.get(Bury)
    receive = Receiver(services, CONSUMERS, await services.get(Meter))
    moved = True
    while moved:
        moved = bool(await relay())
        for consumer in CONSUMERS:
            for each in await deliveries.claim(consumer.subscription, 1000):
                moved = True
                id = each.envelope.id
                match await receive(consumer.name, each.envelope, each.attempt):
                    case Done():
                        await deliveries.remove(consumer.name, id)
                    case Again(after, attempt):
                        await deliveries.put_off(consumer.name, id, after=after, attempt=attempt)
                    case Dead(reason):
                        await bury(consumer.name, each.envelope, each.attempt + 1, reason)
                        await deliveries.remove(consumer.name, id)
