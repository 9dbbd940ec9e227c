from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from domain.jobs.tick import Tick, Timing


class Ticks(Protocol):
    """Who runs which tick, by the database's clock alone. Raises DatabaseUnavailable."""

    async def claim(self, job: str, timing: Timing, *, lease: timedelta, early: bool = False) -> Tick | None:
        """The tick that is due, for this process alone; None where there is none for it.

        Of any number of processes that ask at once, one gets it. However many ticks were missed, there is
        one. ``early``: also where none is due, unless another process is at it.
        """

    async def extend(self, tick: Tick, *, lease: timedelta) -> bool:
        """``lease`` from now. False where it is this process's no more."""

    async def finish(self, tick: Tick, outcome: str) -> bool:
        """False, and nothing is noted, where it is this process's no more."""

    async def give_back(self, tick: Tick) -> None:
        """Undone: another process may take it at once."""

    async def all(self) -> tuple[datetime, Sequence[Tick]]:
        """Now, and the last tick of every job that ever had one."""


class Work(Protocol):
    """What a job does. It may run while it runs elsewhere, and may be cut off anywhere."""

    async def __call__(self) -> Mapping[str, int]:
        """What it did, in numbers for the log."""
