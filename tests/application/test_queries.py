"""Usage is read for the caller's own account, over spans that make sense."""

from datetime import datetime, timedelta

import pytest

from application.actor import Customer
from application.usage.ports import By, Place
from application.usage.queries import LONGEST, ReadUsage, SpanRefused
from domain.ids import AccountId, KeyId, WorkspaceId
from tests.contracts.banks import MemoryBank, a_plan
from tests.contracts.tellers import Teller, a_teller
from tests.fakes.clock import NOON, SetClock
from tests.fakes.desks import PLAN

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@pytest.fixture
def bank() -> MemoryBank:
    return MemoryBank()


@pytest.fixture
async def teller(bank: MemoryBank) -> Teller:
    return await a_teller(bank, 100, plan=a_plan())


def reading(bank: MemoryBank, now: datetime) -> ReadUsage:
    return ReadUsage(bank.reader, SetClock(now))


def owner_of(account: AccountId, bank: MemoryBank) -> Customer:
    return Customer(
        key=KeyId(bank.new_id()),
        test=False,
        workspace=WorkspaceId(bank.new_id()),
        account=account,
        plan=PLAN,
    )


async def test_whatever_is_not_said_is_the_last_30_days_with_this_hour(
    bank: MemoryBank, teller: Teller
) -> None:
    await teller.commit(await teller.hold(3), 3)
    read = reading(bank, NOON + timedelta(minutes=59, seconds=59, microseconds=1))
    owner = owner_of(teller.account, bank)
    start, end, (group,) = await read.sums(owner, None, None, frozenset())
    assert (start, end) == (NOON + HOUR - 30 * DAY, NOON + HOUR)
    assert (group.sums.calls, group.sums.charged) == (1, 3)
    assert len((await read.records(owner, None, None, None, 10)).items) == 1


async def test_a_start_alone_reaches_up_to_now_and_an_end_alone_30_days_back(
    bank: MemoryBank, teller: Teller
) -> None:
    read, owner = reading(bank, NOON), owner_of(teller.account, bank)
    assert (await read.sums(owner, NOON - DAY, None, frozenset()))[:2] == (NOON - DAY, NOON + HOUR)
    assert (await read.sums(owner, None, NOON - DAY, frozenset()))[:2] == (NOON - 31 * DAY, NOON - DAY)


async def test_sums_are_by_what_was_asked_and_of_ones_own(bank: MemoryBank, teller: Teller) -> None:
    await teller.commit(await teller.hold(3), 3)
    read = reading(bank, NOON)
    _, _, (group,) = await read.sums(
        owner_of(teller.account, bank), None, None, frozenset({By.HOUR, By.FEATURE})
    )
    assert (group.hour, group.feature, group.day, group.key) == (NOON, "call", None, None)
    stranger = owner_of(await bank.open(), bank)
    assert (await read.sums(stranger, None, None, frozenset()))[2] == []


async def test_records_come_in_pages(bank: MemoryBank, teller: Teller) -> None:
    for count in (1, 2, 3):
        await teller.commit(await teller.hold(count), count)
        await teller.pass_by(timedelta(minutes=1))
    read, owner = reading(bank, NOON), owner_of(teller.account, bank)
    first = await read.records(owner, None, None, None, 2)
    assert ([each.charged for each in first.items], first.more) == ([3, 2], True)
    last = first.items[-1]
    second = await read.records(owner, None, None, Place(last.recorded_at, last.id), 2)
    assert ([each.charged for each in second.items], second.more) == ([1], False)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (NOON, NOON, "from must be before to"),
        (NOON + HOUR, NOON, "from must be before to"),
        (NOON + DAY, None, "from must be before to"),
        (NOON - LONGEST - HOUR, NOON, "from and to may be 400 days apart at most"),
    ],
)
async def test_a_span_that_makes_no_sense_is_refused(
    bank: MemoryBank, teller: Teller, start: datetime, end: datetime | None, reason: str
) -> None:
    read, owner = reading(bank, NOON), owner_of(teller.account, bank)
    with pytest.raises(SpanRefused) as refusal:
        await read.sums(owner, start, end, frozenset())
    assert str(refusal.value) == refusal.value.reason == reason
    with pytest.raises(SpanRefused):
        await read.records(owner, start, end, None, 10)


@pytest.mark.parametrize("odd", [timedelta(minutes=1), timedelta(seconds=1), timedelta(microseconds=1)])
async def test_sums_are_of_whole_hours_and_records_need_not_be(
    bank: MemoryBank, teller: Teller, odd: timedelta
) -> None:
    read, owner = reading(bank, NOON), owner_of(teller.account, bank)
    for start, end in ((NOON - DAY + odd, NOON), (NOON - DAY, NOON + odd)):
        with pytest.raises(SpanRefused) as refusal:
            await read.sums(owner, start, end, frozenset())
        assert "whole hours" in str(refusal.value)
        assert (await read.records(owner, start, end, None, 10)).items == []


async def test_the_longest_span_can_be_read(bank: MemoryBank, teller: Teller) -> None:
    read, owner = reading(bank, NOON), owner_of(teller.account, bank)
    assert (await read.sums(owner, NOON - LONGEST, NOON, frozenset()))[2] == []
