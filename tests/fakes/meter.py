from collections import Counter
from dataclasses import dataclass, field

from application.metrics import Meter


@dataclass
class CountingMeter(Meter):
    batches: list[int] = field(default_factory=list)
    commands: Counter[tuple[str, str]] = field(default_factory=Counter)
    jobs: list[tuple[str, str]] = field(default_factory=list)
    broken_accounts: int = 0
    messages: Counter[tuple[str, str]] = field(default_factory=Counter)

    def batch(self, size: int, seconds: float) -> None:
        self.batches.append(size)

    def command(self, kind: str, outcome: str) -> None:
        self.commands[kind, outcome] += 1

    def job(self, name: str, outcome: str, seconds: float) -> None:
        self.jobs.append((name, outcome))

    def message(self, consumer: str, outcome: str) -> None:
        self.messages[consumer, outcome] += 1

    def broken(self, accounts: int) -> None:
        self.broken_accounts += accounts
