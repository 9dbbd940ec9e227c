"""Whatever reads usage says what was charged, in memory and from PostgreSQL."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from application.usage.ports import By, Place, UsageGroup
from domain.credits import Quantity
from domain.ids import AccountId, KeyId, ReservationId
from domain.usage.errors import AccountMissing, ReservationMissing
from domain.usage.record import Sums, UsageRecord
from domain.usage.settle import Commit
from tests.contracts.banks import ODD, SURE, Bank
from tests.contracts.sql_banks import SqlBank
from tests.contracts.tellers import Teller, a_teller

HOUR = timedelta(hours=1)
EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2900, 1, 1, tzinfo=UTC))


async def charge(
    teller: Teller, count: int, *, key: KeyId | None = None, feature: str = "call", test: bool = False
) -> ReservationId:
    order = teller.order(0, key=key, feature=feature, test=test)
    await teller.bank.ledger.execute(order)
    usage = Quantity(input_tokens=2 * count, output_tokens=count, units=1)
    await teller.bank.ledger.execute(
        Commit(account=teller.account, reservation=order.id, usage=usage, model="gpt", latency_ms=70)
    )
    return order.id


async def records(teller: Teller) -> Sequence[UsageRecord]:
    return await teller.bank.reader.records(teller.account, *EVER, after=None, limit=1000)


@pytest.fixture
async def busy(bank: Bank) -> Teller:
    """With charges over three days, of three features, by two keys and without one, some more than it had."""
    teller = await a_teller(bank, 60)
    keys = [None, KeyId(bank.new_id()), KeyId(bank.new_id())]
    for pause in (0, 1, 1, 26, 23):
        await teller.pass_by(pause * HOUR)
        for at, key in enumerate(keys):
            await charge(teller, 3 + at, key=key, feature=("call", ODD, SURE)[(at + pause) % 3])
        await charge(teller, 50, key=keys[1], test=True)
    return teller


def hour_of(record: UsageRecord) -> datetime:
    return record.recorded_at.replace(minute=0, second=0, microsecond=0)


PART: dict[By, Callable[[UsageRecord], object]] = {
    By.DAY: lambda record: hour_of(record).replace(hour=0),
    By.HOUR: hour_of,
    By.FEATURE: lambda record: record.feature,
    By.KEY: lambda record: record.key,
}


def summed(found: Sequence[UsageRecord], by: frozenset[By]) -> dict[tuple[object, ...], tuple[int, ...]]:
    """By hand."""
    groups: dict[tuple[object, ...], tuple[int, ...]] = {}
    for each in found:
        name = tuple(PART[part](each) if part in by else None for part in By)
        used = (each.usage.input_tokens, each.usage.output_tokens, each.usage.units)
        figures = (1, *used, each.charged, each.uncollected)
        groups[name] = tuple(map(sum, zip(groups.get(name, (0,) * 6), figures, strict=True)))
    return groups


def named(groups: Sequence[UsageGroup]) -> dict[tuple[object, ...], tuple[int, ...]]:
    return {(each.day, each.hour, each.feature, each.key): figures(each.sums) for each in groups}


def figures(sums: Sums) -> tuple[int, ...]:
    return (
        sums.calls,
        sums.input_tokens,
        sums.output_tokens,
        sums.units,
        sums.charged,
        sums.uncollected,
    )


@pytest.mark.parametrize(
    "parts",
    [(), (By.DAY,), (By.HOUR,), (By.FEATURE,), (By.KEY,), (By.DAY, By.KEY), (By.HOUR, By.FEATURE), tuple(By)],
    ids=lambda parts: "+".join(parts) or "nothing",
)
async def test_sums_are_those_of_the_records(busy: Teller, parts: tuple[By, ...]) -> None:
    by = frozenset(parts)
    groups = await busy.bank.reader.sums(busy.account, *EVER, by)
    assert named(groups) == summed(await records(busy), by)
    assert len(named(groups)) == len(groups)


async def test_sums_are_sorted_by_time_then_feature_then_key_and_without_a_key_first(busy: Teller) -> None:
    groups = await busy.bank.reader.sums(busy.account, *EVER, frozenset(By))
    order = [(each.day, each.hour, each.feature, each.key is not None, each.key) for each in groups]
    assert order == sorted(order)
    assert {each.key for each in groups} >= {None}


async def test_a_span_begins_with_its_start_and_ends_before_its_end(busy: Teller) -> None:
    found = await records(busy)
    start, end = hour_of(found[8]), hour_of(found[0])
    within = [each for each in found if start <= each.recorded_at < end]
    assert 0 < len(within) < len(found)
    groups = await busy.bank.reader.sums(busy.account, start, end, frozenset())
    assert named(groups) == summed(within, frozenset())
    assert await busy.bank.reader.records(busy.account, start, end, after=None, limit=100) == within
    exactly = found[0].recorded_at
    assert await busy.bank.reader.records(busy.account, *EVER[:1], exactly, after=None, limit=100) == [
        each for each in found if each.recorded_at < exactly
    ]


async def test_there_are_no_sums_of_nothing(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    await teller.hold(1)
    for by in (frozenset[By](), frozenset(By)):
        assert await bank.reader.sums(teller.account, *EVER, by) == []
    assert await records(teller) == []


async def test_a_record_says_all_that_explains_the_charge(bank: Bank) -> None:
    teller = await a_teller(bank, 10)
    key = KeyId(bank.new_id())
    id = await charge(teller, 14, key=key)
    (record,) = await records(teller)
    reservation = await bank.reader.reservation(teller.account, id)
    assert reservation.settlement is not None
    assert record == UsageRecord.of(reservation, reservation.settlement)
    assert (record.key, record.feature, record.model, record.latency_ms) == (key, "call", "gpt", 70)
    assert (record.cost, record.charged, record.uncollected, record.test) == (14, 10, 4, False)
    assert record.usage == Quantity(input_tokens=28, output_tokens=14, units=1)
    assert sum(part.amount for part in record.charges) == 10


async def test_records_come_in_pages_the_newest_first(bank: Bank) -> None:
    teller = await a_teller(bank)
    for _ in range(3):
        ids = [await teller.hold(0) for _ in range(5)]
        await asyncio.gather(*(teller.commit(id, 0) for id in ids))
        await teller.pass_by(HOUR)
    every = await records(teller)
    place = [(each.recorded_at, each.id) for each in every]
    assert place == sorted(place, reverse=True)
    assert len(set(place)) == 15

    paged: list[UsageRecord] = []
    while page := await bank.reader.records(
        teller.account,
        *EVER,
        after=Place(paged[-1].recorded_at, paged[-1].id) if paged else None,
        limit=4,
    ):
        assert len(page) <= 4
        paged += page
    assert paged == list(every)


async def test_whatever_is_another_accounts_is_not_read(bank: Bank) -> None:
    owner, stranger = await a_teller(bank, 10), await a_teller(bank, 10)
    id = await charge(owner, 3)
    assert await records(stranger) == []
    assert await bank.reader.sums(stranger.account, *EVER, frozenset()) == []
    with pytest.raises(ReservationMissing):
        await bank.reader.reservation(stranger.account, id)


async def test_an_account_that_is_not_there_has_nothing_to_read(bank: Bank) -> None:
    nobody = AccountId(bank.new_id())
    with pytest.raises(AccountMissing):
        await bank.reader.balance(nobody)
    with pytest.raises(ReservationMissing):
        await bank.reader.reservation(nobody, ReservationId(bank.new_id()))
    assert await bank.reader.records(nobody, *EVER, after=None, limit=10) == []
    assert await bank.reader.sums(nobody, *EVER, frozenset()) == []


async def test_reading_writes_nothing(postgres: SqlBank) -> None:
    teller = await a_teller(postgres, 10)
    id = await teller.hold(4, feature=SURE)
    await teller.start(id)
    await teller.pass_by(HOUR)
    before = await postgres.books(teller.account)
    assert await teller.available() == 6
    assert (await postgres.reader.reservation(teller.account, id)).state == "expired"
    assert await postgres.books(teller.account) == before
    assert before.held == 4


async def test_holds_whose_call_has_not_begun(bank: Bank) -> None:
    teller = await a_teller(bank, 60)
    assert await bank.reader.unstarted(teller.account, limit=10) == []
    later = await teller.hold(1, expires_in=2 * HOUR)
    sooner, started, ended = [await teller.hold(1, expires_in=HOUR) for _ in range(3)]
    await teller.start(started)
    await teller.release(ended)
    assert await bank.reader.unstarted(teller.account, limit=10) == [sooner, later]
    assert await bank.reader.unstarted(teller.account, limit=1) == [sooner]
    await teller.pass_by(HOUR)
    assert await bank.reader.unstarted(teller.account, limit=10) == [later]
    assert await bank.reader.unstarted(AccountId(bank.new_id()), limit=10) == []
