import asyncio
from typing import Any


class Ear:
    """What rang while its owner was busy, it has heard, too."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        self._rung.set()

    async def heard(self, *others: asyncio.Future[Any], within: float) -> None:
        """Until it rings, one of ``others`` is done, or ``within`` seconds are over."""
        ring = asyncio.ensure_future(self._rung.wait())
        try:
            await asyncio.wait((ring, *others), timeout=within, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ring.cancel()
            self._rung.clear()


class Bell:
    """Wakes whoever waits for something to do. It may not ring, so they also look by themselves."""

    def __init__(self) -> None:
        self._ears: list[Ear] = []

    def ear(self) -> Ear:
        """For whoever listens as long as the process runs."""
        ear = Ear()
        self._ears.append(ear)
        return ear

    def ring(self) -> None:
        for ear in self._ears:
            ear.ring()
