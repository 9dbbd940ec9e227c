"""A subscription's whole life, told in any order and doubled, while it goes on: the same comes of it."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from application.actor import Operator
from domain.billing.events import StripeTold
from domain.ids import WorkspaceId
from tests.billing.books import FREE, Books
from tests.billing.history import Moment, RecordedPayments, moment, payments_at
from tests.billing.lives import Life, expected
from tests.fakes.stripe_server import stripe_server

LIVES: dict[str, Callable[[Life], Iterator[None]]] = {"whole": Life.whole, "unpaid": Life.unpaid}


@dataclass(frozen=True)
class History:
    """``lots`` is what is left of each at the end. The ids of CueBX are those of every new ``Books``."""

    moments: list[Moment]
    lots: dict[str, int]
    customer: str
    ends: datetime


async def record(live: Callable[[Life], Iterator[None]]) -> History:
    with stripe_server(held=True) as there:
        async with payments_at(there) as payments:
            books = Books(payments)
            books.office.clock.time = datetime.now(UTC)
            await books.publish(Operator())
            session = await books.subscribe(books.owner, "api", "team", seats=None)
            assert there.pay(session.id) is None
            [subscription] = there.state.all("subscription")
            moments = [await moment(there, payments)]
            for _ in live(Life(there, subscription["id"])):
                moments.append(await moment(there, payments))  # noqa: PERF401 - a step is made in between
        ends = datetime.fromtimestamp(there.state.now, UTC)
        return History(moments, expected(there.state), subscription["customer"], ends)


@pytest.fixture(scope="module", params=sorted(LIVES))
def history(request: pytest.FixtureRequest) -> History:
    return asyncio.run(record(LIVES[request.param]))


@dataclass
class Telling:
    """Of one history, to new books."""

    history: History

    def __post_init__(self) -> None:
        self.payments = RecordedPayments(self.history.moments)
        self.books = Books(self.payments)
        self.books.office.clock.time = self.history.ends
        workspace: WorkspaceId = self.books.office.workspace.id
        self.books.office.work.till.customers[workspace] = (self.history.customer, None)

    async def hear(self, *events: StripeTold) -> None:
        for each in events:
            await self.books.act(each)

    async def straight(self) -> dict[str, object]:
        """Each event once, as soon as it happens."""
        await self.books.open()
        for at, each in enumerate(self.history.moments):
            self.payments.at = at
            await self.hear(*each.told)
        return self.books.standing()

    async def is_right(self, straight: dict[str, object]) -> None:
        assert {name: each.granted for name, each in self.books.lots().items()} == self.history.lots
        assert self.books.standing() == straight
        assert await self.books.drifts() == []


def test_it_is_right_when_it_is_told_as_it_happens(history: History) -> None:
    async def tell() -> None:
        telling = Telling(history)
        straight = await telling.straight()
        await telling.is_right(straight)
        assert straight["plan"] == FREE
        assert 0 in history.lots.values()

    asyncio.run(tell())


@settings(
    max_examples=60,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(data=st.data())
def test_it_is_the_same_in_every_order_and_doubled(history: History, data: Any) -> None:  # noqa: ANN401 - Hypothesis's
    """Some of it is heard amid the life, several at once and over the next step; then all, twice."""

    async def tell() -> None:
        straight = await Telling(history).straight()
        telling = Telling(history)
        await telling.books.open()
        told = list[StripeTold]()
        for at, each in enumerate(history.moments):
            told += each.told
            now = data.draw(st.lists(st.sampled_from(told), max_size=4))
            telling.payments.late = data.draw(st.booleans())
            await asyncio.gather(*(telling.hear(one) for one in now), step(telling, at))
        twice = data.draw(st.permutations([*told, *told]))
        at_once = data.draw(st.integers(1, 4))
        for start in range(0, len(twice), at_once):
            await asyncio.gather(*(telling.hear(one) for one in twice[start : start + at_once]))
        await telling.is_right(straight)

    async def step(telling: Telling, at: int) -> None:
        telling.payments.at = at

    asyncio.run(tell())
