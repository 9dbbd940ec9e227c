from typing import Protocol


class Meter(Protocol):
    """Counts what an operator wants to see."""

    def batch(self, size: int, seconds: float) -> None:
        """One transaction served ``size`` commands."""

    def command(self, kind: str, outcome: str) -> None:
        """A command ended: ``done``, ``replayed``, or the code of its refusal."""

    def job(self, name: str, outcome: str, seconds: float) -> None:
        """A background job ended: ``ok``, or with an error of that name."""

    def message(self, consumer: str, outcome: str) -> None:
        """A message was acted on (``done``), will come ``again``, or is ``dead``."""

    def broken(self, accounts: int) -> None:
        """An audit found ``accounts`` whose books do not add up."""
