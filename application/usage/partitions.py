from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

AHEAD = 3
"""Months, besides the present one."""


class Partitions(Protocol):
    """Usage records lie by month. Those of a month that has no place of its own lie apart, and are slow."""

    async def missing(self, ahead: int) -> Sequence[date]:
        """The first days of months without a place: this one, ``ahead`` more, those of what lies apart."""

    async def make(self, month: date) -> bool:
        """With what lies apart of it. False where another process made it. Raises DatabaseUnavailable."""


@dataclass(frozen=True, slots=True)
class MakePartitions:
    partitions: Partitions

    async def __call__(self) -> Mapping[str, int]:
        made = [await self.partitions.make(month) for month in await self.partitions.missing(AHEAD)]
        return {"made": sum(made)}
