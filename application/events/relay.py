from dataclasses import dataclass

from application.events.ports import OutboxQueue, Publisher
from domain.errors import Unavailable

BATCH = 500


@dataclass(frozen=True, slots=True)
class Relay:
    """Moves what was committed to whoever acts on it. No transaction is open while it is published.

    A relay that dies in between has it published again by the next one, under the same id.
    """

    queue: OutboxQueue
    publisher: Publisher

    async def __call__(self, limit: int = BATCH) -> int:
        """How many it moved: less than ``limit`` where no more were to be had.

        Raises BrokerUnavailable, DatabaseUnavailable.
        """
        claimed = await self.queue.claim(limit)
        if not claimed:
            return 0
        positions = [each.position for each in claimed]
        try:
            await self.publisher.publish([each.envelope for each in claimed])
        except Unavailable:
            await self.queue.give_back(positions)
            raise
        await self.queue.remove(positions)
        return len(claimed)
