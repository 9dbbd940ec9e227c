"""Two server processes on one database decide as one."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from dishka import AsyncContainer

from tests.e2e.load import calling_at, loaded
from tests.e2e.reckoning import (
    GRANTED,
    answers_are_true,
    audit_is_clean,
    balance_of,
    books_are_those_of,
    every_call_is_finished,
)
from tests.servers import eventually, two_serving
from tests.shop import CHARGED, Caller, Seller, Shop, services_on


@pytest.fixture
async def services(durable_database: str) -> AsyncIterator[AsyncContainer]:
    async with services_on(durable_database) as services:
        yield services


@pytest.fixture
async def sellers(
    durable_database: str, services: AsyncContainer, tmp_path: Path
) -> AsyncIterator[tuple[Seller, Seller]]:
    """One that asks each of the processes."""
    key = (await Shop(services).service_key()).text
    with two_serving(durable_database, tmp_path) as (one, two):
        async with calling_at(one, key) as first, calling_at(two, key) as second:
            yield first, second


async def test_two_processes_never_hold_or_charge_too_much(
    services: AsyncContainer, sellers: tuple[Seller, Seller]
) -> None:
    shop = Shop(services)
    await four_hundred_ask_where_a_hundred_fit(shop, sellers)
    await fifty_with_one_key_make_one_reservation(shop, sellers)
    await fifty_commits_charge_once(shop, sellers)
    await load_on_both_leaves_the_books_of_its_answers(services, shop, sellers)
    await audit_is_clean(services)


async def four_hundred_ask_where_a_hundred_fit(shop: Shop, sellers: tuple[Seller, Seller]) -> None:
    tenant = await shop.tenant(amount="200")
    answers = await asyncio.gather(*(sellers[n % 2].reserve(tenant) for n in range(400)))
    made = [answer for answer in answers if answer.status_code == 201]
    refused = [answer.json() for answer in answers if answer.status_code == 402]
    assert (len(made), len(refused)) == (100, 300)
    assert {(told["code"], told["needed"], told["available"]) for told in refused} == {
        ("insufficient_credits", "2", "0")
    }
    assert len({answer.json()["id"] for answer in made}) == 100
    balance = await balance_of(tenant, sellers[0])
    assert (balance["available"], balance["held"]) == ("0", "200")


async def fifty_with_one_key_make_one_reservation(shop: Shop, sellers: tuple[Seller, Seller]) -> None:
    tenant = await shop.tenant()
    answers = await asyncio.gather(*(sellers[n % 2].reserve(tenant, request="a") for n in range(50)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert (await balance_of(tenant, sellers[1]))["held"] == "2"


async def fifty_commits_charge_once(shop: Shop, sellers: tuple[Seller, Seller]) -> None:
    tenant = await shop.tenant()
    id = await sellers[0].reserved(tenant)
    answers = await asyncio.gather(*(sellers[n % 2].commit(id) for n in range(50)))
    assert len({(answer.status_code, answer.text) for answer in answers}) == 1
    records = (await Caller(sellers[1].http, tenant.live).get("/v1/usage/records")).json()["items"]
    assert [record["charged"] for record in records] == [CHARGED]


async def load_on_both_leaves_the_books_of_its_answers(
    services: AsyncContainer, shop: Shop, sellers: tuple[Seller, Seller]
) -> None:
    tenants = [await shop.tenant(amount=str(GRANTED)) for _ in range(5)]
    async with loaded(sellers, tenants) as memory:

        async def enough() -> bool:
            return memory.finished >= 100

        await eventually(enough)
    assert (memory.refusals, memory.unanswered) == ([], [])
    await answers_are_true(memory, sellers[0])
    await every_call_is_finished(memory, sellers[1])
    await books_are_those_of(memory.calls, tenants, sellers[0])
    await audit_is_clean(services)
