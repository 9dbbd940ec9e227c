"""Afterwards: what was answered is true, what was not is harmless, and the books add up."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from application.usage.ports import Auditor
from tests.e2e.load import Call, Memory, Step, ask
from tests.shop import CHARGED, HELD, Caller, Seller, Tenant

GRANTED = Decimal(100_000)
STATES = {"commit": "committed", "release": "released"}


async def each(calls: Iterable[Call], do: Callable[[Call], Awaitable[None]]) -> None:
    """Some at a time: httpx is slow with many connections."""
    left = iter(calls)

    async def work() -> None:
        for call in left:
            await do(call)

    await asyncio.gather(*(work() for _ in range(32)))


async def answers_are_true(memory: Memory, seller: Seller) -> None:
    """What was answered is so. What was not answered may be so, or not."""
    heard = [call for call in memory.calls if "reserve" in call.heard]
    await each(heard, lambda call: is_true(call, seller))


async def is_true(call: Call, seller: Seller) -> None:
    look = (await seller.look(call.id)).json()
    assert look["estimated"]["total"] == call.heard["reserve"]["held"] == HELD
    if "start" in call.heard:
        assert look["started_at"] == call.heard["start"]["started_at"]
    for name, state in STATES.items():
        if name in call.heard:
            assert look["state"] == call.heard[name]["state"] == state
            assert look["charge"]["charged"] == call.heard[name]["charged"]


async def every_call_is_finished(memory: Memory, seller: Seller) -> None:
    """By the same requests: what was answered is answered the same again, and the rest is done now."""
    await each(memory.calls, lambda call: finish(call, seller))


async def finish(call: Call, seller: Seller) -> None:
    heard, call.steps = call.heard, []
    for name in ("reserve", *call.end.split()):
        if name == "start" and name in heard:  # what is settled since cannot be started
            call.steps.append(Step(name, heard[name]))
            continue
        answer = await ask(call, name, seller)
        assert answer.is_success, answer.text
        assert answer.json() == heard.get(name, answer.json())
        call.steps.append(Step(name, answer.json()))


async def books_are_those_of(calls: Sequence[Call], tenants: Sequence[Tenant], seller: Seller) -> None:
    """Each call charged once or not at all, each hold held once, and nothing else."""
    for tenant in tenants:
        ends = [call.end.split() for call in calls if call.tenant == tenant]
        commits = sum("commit" in end for end in ends)
        open_ = sum(not STATES.keys() & set(end) for end in ends)
        balance = await balance_of(tenant, seller)
        assert Decimal(balance["held"]) == open_ * Decimal(HELD)
        assert Decimal(balance["available"]) == GRANTED - open_ * Decimal(HELD) - commits * Decimal(CHARGED)
        (total,) = (await Caller(seller.http, tenant.live).get("/v1/usage", by="")).json()["items"]
        assert (total["calls"], Decimal(total["charged"])) == (commits, commits * Decimal(CHARGED))


async def no_hold_outlives_its_deadline(
    services: AsyncContainer, tenants: Sequence[Tenant], seller: Seller
) -> None:
    """Once the deadlines have passed, everything that was not charged is there to be spent."""
    passed = sa.text("UPDATE reservation SET expires_at = now() WHERE settlement IS NULL")
    async with (await services.get(AsyncEngine)).begin() as connection:
        await connection.execute(passed)
    for tenant in tenants:
        balance = await balance_of(tenant, seller)
        spent = sum(Decimal(lot["spent"]) for lot in balance["lots"])
        assert (balance["held"], Decimal(balance["available"])) == ("0", GRANTED - spent)


async def balance_of(tenant: Tenant, seller: Seller) -> dict[str, Any]:
    body: dict[str, Any] = (await Caller(seller.http, tenant.live).get("/v1/balance")).json()
    return body


async def audit_is_clean(services: AsyncContainer) -> None:
    assert await (await services.get(Auditor)).audit(seconds=60) == []
