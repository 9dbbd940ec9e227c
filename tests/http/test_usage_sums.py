"""What was used, summed: the sums of the records, however they are asked for."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Any

import pytest
from dishka import AsyncContainer

from tests.http.spending import every_record, spend
from tests.shop import Caller, Seller, Shop, Tenant

PARTS = ("day", "hour", "feature", "key")
FIGURES = ("calls", "input_tokens", "output_tokens", "units", "charged", "uncollected")
SUBSETS = [subset for count in range(len(PARTS) + 1) for subset in combinations(PARTS, count)]


@pytest.fixture(scope="module")
async def spender(services: AsyncContainer, seller: Seller, shop: Shop) -> Tenant:
    return await spend(services, seller, shop)


@pytest.fixture
def program(seller: Seller, spender: Tenant) -> Caller:
    return Caller(seller.http, spender.live)


def group_of(record: Mapping[str, Any], by: tuple[str, ...]) -> tuple[object, ...]:
    at = datetime.fromisoformat(record["recorded_at"])
    parts = {
        "day": at.date().isoformat(),
        "hour": at.replace(minute=0, second=0, microsecond=0),
        "feature": record["feature"],
        "key": record["key_id"],
    }
    return tuple(parts[name] for name in by)


def told(item: Mapping[str, Any], by: tuple[str, ...]) -> tuple[object, ...]:
    parts = {
        **item,
        "key": item.get("key_id"),
        "hour": datetime.fromisoformat(item.get("hour", "2000-01-01")),
    }
    return tuple(parts[name] for name in by)


@pytest.mark.parametrize("by", SUBSETS, ids=lambda by: "+".join(by) or "all")
async def test_the_sums_are_those_of_the_records(program: Caller, by: tuple[str, ...]) -> None:
    expected: dict[tuple[object, ...], dict[str, Decimal]] = {}
    for record in await every_record(program, limit=100):
        sums = expected.setdefault(group_of(record, by), {})
        facts = {"calls": 1, **record["usage"], "charged": record["charged"]}
        facts["uncollected"] = record["uncollected"]
        for name, value in facts.items():
            sums[name] = sums.get(name, Decimal(0)) + Decimal(value)
    answer = await program.get("/v1/usage", by=",".join(by))
    assert answer.status_code == 200
    items = answer.json()["items"]
    found = {told(item, by): {name: Decimal(item[name]) for name in FIGURES} for item in items}
    assert found == expected
    assert len(items) == len(expected)
    members = {"key_id" if name == "key" else name for name in by}
    assert all(item.keys() - set(FIGURES) == members for item in items)


async def test_sums_are_by_the_day_unless_said(program: Caller) -> None:
    usual, daily = await program.get("/v1/usage"), await program.get("/v1/usage", by="day")
    assert usual.json() == daily.json()
    days = [item["day"] for item in usual.json()["items"]]
    assert days == sorted(days)


async def test_sums_are_of_the_last_thirty_days_unless_said(program: Caller) -> None:
    body = (await program.get("/v1/usage")).json()
    start, end = datetime.fromisoformat(body["start"]), datetime.fromisoformat(body["end"])
    assert end - start == timedelta(days=30)
    assert timedelta(0) < end - datetime.now(UTC) <= timedelta(hours=1)


async def test_sums_and_records_are_of_the_span_that_is_asked_for(program: Caller) -> None:
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    span = {"from": (now - timedelta(hours=30)).isoformat(), "to": (now - timedelta(hours=2)).isoformat()}
    (total,) = (await program.get("/v1/usage", by="", **span)).json()["items"]
    assert total["calls"] == 24  # of 26 and of 3 hours ago
    assert len(await every_record(program, limit=100, **span)) == 24


async def test_a_day_is_taken_as_its_first_instant(program: Caller) -> None:
    body = (
        await program.get("/v1/usage", **{"from": "2026-11-01", "to": "2026-11-02T00:00:00+02:00"})
    ).json()
    assert (body["start"], body["end"]) == ("2026-11-01T00:00:00Z", "2026-11-01T22:00:00Z")


async def test_sums_are_kept_by_the_hour_and_asked_for_by_the_hour(program: Caller) -> None:
    answer = await program.get("/v1/usage", **{"from": "2026-11-01T00:30:00Z", "to": "2026-11-02"})
    assert (answer.status_code, answer.json()["code"]) == (422, "span_refused")
    halves = {"from": "2026-11-01T00:30:00Z", "to": "2026-11-02T00:00:01Z"}
    assert (await program.get("/v1/usage/records", **halves)).status_code == 200
