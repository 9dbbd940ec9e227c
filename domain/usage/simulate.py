from enum import StrEnum
from typing import ClassVar

from domain.errors import Invalid


class Simulate(StrEnum):
    """What a test key asks to be refused with, as a live key might be."""

    INSUFFICIENT_CREDITS = "insufficient_credits"
    RATE_LIMITED = "rate_limited"
    UPSTREAM_ERROR = "upstream_error"
    """Of a run: its model fails."""


class SimulationRefused(Invalid):
    code: ClassVar[str] = "simulation_refused"

    def __str__(self) -> str:
        return "only a test key simulates refusals, and upstream_error only in a run"
