"""What of a plan and of a pack matters to billing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PlanTerms:
    """``allocation`` is microcredits for each period."""

    allocation: int
    seats: int
    grace_days: int


@dataclass(frozen=True, slots=True)
class PackTerms:
    """``credits`` are microcredits, to be spent for ``days`` (None: for ever)."""

    credits: int
    days: int | None
