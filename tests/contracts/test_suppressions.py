"""Addresses that get no mail, as they are kept by the fake and by PostgreSQL."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.postgres.engine import make_engine
from adapters.postgres.suppressions import SqlSuppressions
from application.notifications.suppressions import Suppressions
from tests.fakes.suppressions import FakeSuppressions


@pytest.fixture
async def suppressions(bank_database: str | None) -> AsyncIterator[Suppressions]:
    if bank_database is None:
        yield FakeSuppressions()
        return
    engine = make_engine(bank_database)
    yield SqlSuppressions(engine)
    await engine.dispose()


async def test_the_first_reason_for_an_address_is_kept(suppressions: Suppressions) -> None:
    address = f"{uuid4().hex}@example.org"
    assert not await suppressions.has(address)
    for reason in ("hard_bounce", "spam"):
        await suppressions.add(address, reason)
    assert await suppressions.has(address)
    (found,) = await suppressions.page(after=address[:-1], limit=1)
    assert (found.email, found.reason) == (address, "hard_bounce")


async def test_an_address_is_removed_once(suppressions: Suppressions) -> None:
    address = f"{uuid4().hex}@example.org"
    await suppressions.add(address, "spam")
    assert [await suppressions.remove(address) for _ in range(2)] == [True, False]
    assert not await suppressions.has(address)


async def test_addresses_are_paged_in_their_order(suppressions: Suppressions) -> None:
    prefix = uuid4().hex
    three = [f"{prefix}-{name}@example.org" for name in "abc"]
    for each in reversed(three):
        await suppressions.add(each, "spam")
    assert [each.email for each in await suppressions.page(after=f"{prefix}-", limit=2)] == three[:2]
    assert [each.email for each in await suppressions.page(after=three[1], limit=1)] == three[2:]
    assert await suppressions.page(after=None, limit=1)
