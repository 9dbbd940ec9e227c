"""Whether this process can do its work."""

import asyncio
from dataclasses import dataclass
from enum import StrEnum
from time import perf_counter
from typing import Protocol

PATIENCE = 2.0  # seconds that a dependency has to answer


class DependencyAway(Exception):
    """Its text is shown to whoever asks: it names no address, user or password."""


class Dependency(Protocol):
    """Something outside that this process needs. ``vital``: without it, it can do nothing of use."""

    name: str
    vital: bool

    async def check(self) -> str:
        """Make sure that it answers, and say what is worth knowing. Raises DependencyAway."""


class State(StrEnum):
    READY = "ready"
    DEGRADED = "degraded"
    AWAY = "unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """``latency`` is seconds."""

    name: str
    vital: bool
    ok: bool
    latency: float
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    findings: tuple[Finding, ...]

    @property
    def state(self) -> State:
        if all(each.ok for each in self.findings):
            return State.READY
        return State.DEGRADED if all(each.ok for each in self.findings if each.vital) else State.AWAY


@dataclass(frozen=True, slots=True)
class CheckHealth:
    """Asks every dependency at once, and waits ``patience`` seconds for the slowest at most."""

    dependencies: tuple[Dependency, ...]
    patience: float = PATIENCE

    async def __call__(self) -> Health:
        return Health(tuple(await asyncio.gather(*map(self._find, self.dependencies))))

    async def _find(self, dependency: Dependency) -> Finding:
        started = perf_counter()
        try:
            async with asyncio.timeout(self.patience):
                detail, ok = await dependency.check(), True
        except DependencyAway as away:
            detail, ok = str(away), False
        except TimeoutError:
            detail, ok = f"did not answer within {self.patience:g} s", False
        latency = perf_counter() - started
        return Finding(name=dependency.name, vital=dependency.vital, ok=ok, latency=latency, detail=detail)
