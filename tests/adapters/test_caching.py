"""What is kept is young, and is read once however many ask."""

import asyncio
from dataclasses import dataclass, field

import pytest

from adapters.caching import AgeingCache
from tests.fakes.clock import SetMonotonic


@dataclass
class Shelf:
    """Where things are looked for, which takes until its gate is open."""

    things: dict[str, str] = field(default_factory=lambda: {"a": "one", "b": "two"})
    looked: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    async def look(self, key: str) -> str | None:
        self.looked.append(key)
        thing = self.things.get(key)
        await self.gate.wait()
        if thing == "broken":
            raise ZeroDivisionError
        return thing


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def time() -> SetMonotonic:
    return SetMonotonic()


@pytest.fixture
def cache(shelf: Shelf, time: SetMonotonic) -> AgeingCache[str, str]:
    return AgeingCache(shelf.look, time, age=1.0, size=2)


async def test_what_was_found_is_kept(cache: AgeingCache[str, str], shelf: Shelf) -> None:
    assert [await cache.get("a") for _ in range(3)] == ["one"] * 3
    assert shelf.looked == ["a"]


async def test_it_is_looked_for_again_once_it_is_old(
    cache: AgeingCache[str, str], shelf: Shelf, time: SetMonotonic
) -> None:
    await cache.get("a")
    shelf.things["a"] = "changed"
    time.seconds += 0.999
    assert await cache.get("a") == "one"
    time.seconds += 0.001
    assert cache.peek("a") is None
    assert await cache.get("a") == "changed"


async def test_its_age_is_counted_from_when_the_look_began(
    cache: AgeingCache[str, str], shelf: Shelf, time: SetMonotonic
) -> None:
    shelf.gate.clear()
    getting = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    time.seconds += 1.0
    shelf.gate.set()
    assert await getting == "one"
    assert cache.peek("a") is None


async def test_nothing_is_known_before_it_was_asked_for(cache: AgeingCache[str, str], shelf: Shelf) -> None:
    assert cache.peek("a") is None
    await cache.get("a")
    assert cache.peek("a") == "one"
    assert shelf.looked == ["a"]


async def test_many_who_ask_at_once_are_one_look(cache: AgeingCache[str, str], shelf: Shelf) -> None:
    assert await asyncio.gather(*(cache.get("a") for _ in range(20))) == ["one"] * 20
    assert shelf.looked == ["a"]


async def test_what_is_not_there_is_not_kept(cache: AgeingCache[str, str], shelf: Shelf) -> None:
    assert await cache.get("c") is None
    shelf.things["c"] = "three"
    assert await cache.get("c") == "three"


async def test_what_fails_is_not_kept(cache: AgeingCache[str, str], shelf: Shelf) -> None:
    shelf.things["a"] = "broken"
    answers = await asyncio.gather(cache.get("a"), cache.get("a"), return_exceptions=True)
    assert [type(each) for each in answers] == [ZeroDivisionError] * 2
    assert shelf.looked == ["a"]
    shelf.things["a"] = "mended"
    assert await cache.get("a") == "mended"


@pytest.mark.parametrize("forgotten", ["a", None])
async def test_what_is_forgotten_is_looked_for_again(
    cache: AgeingCache[str, str], shelf: Shelf, forgotten: str | None
) -> None:
    await cache.get("a")
    await cache.get("b")
    cache.forget(forgotten)
    assert cache.peek("a") is None
    assert (cache.peek("b") is None) == (forgotten is None)
    shelf.things["a"] = "changed"
    assert await cache.get("a") == "changed"


@pytest.mark.parametrize("forgotten", ["a", None])
async def test_what_is_forgotten_while_it_is_looked_for_is_looked_for_again(
    cache: AgeingCache[str, str], shelf: Shelf, forgotten: str | None
) -> None:
    shelf.gate.clear()
    early = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shelf.things["a"] = "changed"
    cache.forget(forgotten)
    late = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    shelf.gate.set()
    assert (await early, await late) == ("one", "changed")
    assert cache.peek("a") == "changed"


async def test_it_keeps_no_more_than_its_size(cache: AgeingCache[str, str], shelf: Shelf) -> None:
    shelf.things["c"] = "three"
    for key in ("a", "b", "c"):
        await cache.get(key)
    assert [cache.peek(key) for key in ("a", "b", "c")] == [None, None, "three"]


async def test_whoever_leaves_leaves_the_others_their_answer(
    cache: AgeingCache[str, str], shelf: Shelf
) -> None:
    shelf.gate.clear()
    leaving, staying = asyncio.create_task(cache.get("a")), asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    shelf.gate.set()
    assert await staying == "one"
    assert shelf.looked == ["a"]


async def test_a_look_that_fails_when_everybody_left_troubles_nobody(
    cache: AgeingCache[str, str], shelf: Shelf
) -> None:
    shelf.things["a"] = "broken"
    shelf.gate.clear()
    leaving = asyncio.create_task(cache.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    leaving.cancel()
    await asyncio.sleep(0)
    shelf.gate.set()
    shelf.things["a"] = "mended"
    while (found := (await asyncio.gather(cache.get("a"), return_exceptions=True))[0]) != "mended":
        assert isinstance(found, ZeroDivisionError)
