from collections import Counter
from dataclasses import dataclass, field

from application.metrics import Meter


@dataclass
class CountingMeter(Meter):
    batches: list[int] = field(default_factory=list)
    commands: Counter[tuple[str, str]] = field(default_factory=Counter)

    def batch(self, size: int, seconds: float) -> None:
        self.batches.append(size)

    def command(self, kind: str, outcome: str) -> None:
        self.commands[kind, outcome] += 1
