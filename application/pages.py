from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Page(Generic[T_co]):
    """``more`` says whether anything follows the last of ``items``."""

    items: Sequence[T_co]
    more: bool

    @staticmethod
    def of(found: Sequence[T_co], limit: int) -> "Page[T_co]":
        """A page of ``limit``, of what was found when one more than that was asked for."""
        return Page(found[:limit], more=len(found) > limit)
