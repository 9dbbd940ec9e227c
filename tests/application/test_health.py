import asyncio
from dataclasses import dataclass

from application.health import CheckHealth, Dependency, DependencyAway, State


@dataclass
class Fake(Dependency):
    name: str
    vital: bool
    fault: str | None = None

    async def check(self) -> str:
        if self.fault is not None:
            raise DependencyAway(self.fault)
        return "answers"


@dataclass
class Silent(Fake):
    async def check(self) -> str:
        return await asyncio.Future()


DATABASE = Fake("database", vital=True)
CACHE = Fake("cache", vital=False)


async def test_with_everything_there_it_is_ready() -> None:
    health = await CheckHealth((DATABASE, CACHE))()
    assert health.state is State.READY
    assert [(each.name, each.vital, each.ok, each.detail) for each in health.findings] == [
        ("database", True, True, "answers"),
        ("cache", False, True, "answers"),
    ]
    assert all(0 <= each.latency < 1 for each in health.findings)


async def test_without_what_is_not_vital_it_is_degraded() -> None:
    health = await CheckHealth((DATABASE, Fake("cache", vital=False, fault="gone")))()
    assert health.state is State.DEGRADED
    assert health.findings[1].detail == "gone"


async def test_without_what_is_vital_it_is_unavailable() -> None:
    health = await CheckHealth((Fake("database", vital=True, fault="gone"), CACHE))()
    assert health.state is State.AWAY


async def test_what_does_not_answer_in_time_is_away_and_holds_the_others_up_no_longer() -> None:
    silent = Silent("database", vital=True)
    health = await CheckHealth((silent, Silent("cache", vital=False)), patience=0.01)()
    assert health.state is State.AWAY
    assert [each.detail for each in health.findings] == ["did not answer within 0.01 s"] * 2
