from collections.abc import Sequence
from dataclasses import dataclass, field

from application.notifications.suppressions import Suppression, Suppressions
from tests.fakes.clock import NOON


@dataclass
class FakeSuppressions(Suppressions):
    rows: dict[str, str] = field(default_factory=dict)

    async def add(self, email: str, reason: str) -> None:
        self.rows.setdefault(email, reason)

    async def has(self, email: str) -> bool:
        return email in self.rows

    async def remove(self, email: str) -> bool:
        return self.rows.pop(email, None) is not None

    async def page(self, *, after: str | None, limit: int) -> Sequence[Suppression]:
        found = [Suppression(each, self.rows[each], NOON) for each in sorted(self.rows)]
        return [each for each in found if after is None or each.email > after][:limit]
