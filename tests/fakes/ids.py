from dataclasses import dataclass, field
from uuid import UUID, uuid4


@dataclass
class CountedIds:
    """Ids that nobody else has, each after the one before it."""

    _first: int = field(default_factory=lambda: uuid4().int & ~0xFFFF_FFFF)
    _given: int = 0

    def __call__(self) -> UUID:
        self._given += 1
        return UUID(int=self._first + self._given)
