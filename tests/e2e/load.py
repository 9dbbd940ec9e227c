"""Sellers that go on calling, and remember every answer that they got."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from typing import Any

import httpx

from tests.servers import PATIENCE, Server
from tests.shop import Seller, Tenant

ENDS = ("commit", "start commit", "release", "start release", "start", "")
"""What a seller does after it has reserved; the last two leave the hold to its deadline."""

AWAY = 503
BACK_OFF = 0.05  # seconds, before a seller who got no answer goes on


@dataclass(slots=True)
class Step:
    """One request. ``answer`` is None where it never came, or where it was that the database is away."""

    name: str
    answer: dict[str, Any] | None = None


@dataclass(slots=True)
class Call:
    """An AI call, as its seller remembers it."""

    tenant: Tenant
    request: str
    end: str
    steps: list[Step] = field(default_factory=list)

    @property
    def answered(self) -> bool:
        return all(step.answer is not None for step in self.steps)

    @property
    def id(self) -> str:
        reserved = self.steps[0].answer
        assert reserved is not None
        id: str = reserved["id"]
        return id

    @property
    def heard(self) -> dict[str, dict[str, Any]]:
        """The answers, by the names of their requests."""
        return {step.name: step.answer for step in self.steps if step.answer is not None}


@dataclass(slots=True)
class Memory:
    """How often a connection ``broke``, how often the database was ``away``; any other refusal is kept."""

    calls: list[Call] = field(default_factory=list)
    refusals: list[httpx.Response] = field(default_factory=list)
    broke: int = 0
    away: int = 0

    @property
    def finished(self) -> int:
        return sum(call.answered for call in self.calls)

    @property
    def unanswered(self) -> list[Call]:
        return [call for call in self.calls if not call.answered]


@asynccontextmanager
async def calling_at(server: Server, key: str) -> AsyncIterator[Seller]:
    """A seller's service that opens as many connections as it wants."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    async with httpx.AsyncClient(
        base_url=server.url,
        limits=limits,
        timeout=PATIENCE,
        verify=False,  # noqa: S501 - there is no TLS
    ) as http:
        yield Seller(http, key)


@asynccontextmanager
async def loaded(
    sellers: Sequence[Seller], tenants: Sequence[Tenant], *, callers: int = 24
) -> AsyncIterator[Memory]:
    """While the block lasts, so many call; at its end they finish what they began, if they can."""
    memory, over = Memory(), asyncio.Event()
    numbers, seller, tenant, end = count(), cycle(sellers), cycle(tenants), cycle(ENDS)

    async def go_on() -> None:
        while not over.is_set():
            call = Call(next(tenant), f"call-{next(numbers)}", next(end))
            memory.calls.append(call)
            try:
                await make(call, next(seller), memory)
            except (httpx.TransportError, AttributeError):  # the latter from anyio: closed while it connects
                memory.broke += 1
            if not call.answered:
                await asyncio.sleep(BACK_OFF)

    tasks = [asyncio.create_task(go_on()) for _ in range(callers)]
    try:
        yield memory
    finally:
        over.set()
        await asyncio.gather(*tasks)


async def make(call: Call, seller: Seller, memory: Memory) -> None:
    """From its reservation to its end, or to the first answer that is not what was hoped for."""
    for name in ("reserve", *call.end.split()):
        step = Step(name)
        call.steps.append(step)
        answer = await ask(call, name, seller)
        if answer.is_success:
            step.answer = answer.json()
            continue
        if answer.status_code == AWAY and answer.json()["code"] == "database_unavailable":
            memory.away += 1
        else:
            memory.refusals.append(answer)
        return


async def ask(call: Call, name: str, seller: Seller) -> httpx.Response:
    """One request of a call: the same request, however often it is made."""
    match name:
        case "reserve":
            return await seller.reserve(call.tenant, request=call.request)
        case "start":
            return await seller.start(call.id)
        case "commit":
            return await seller.commit(call.id)
        case _:
            return await seller.release(call.id)
