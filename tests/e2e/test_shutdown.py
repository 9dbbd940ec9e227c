"""A server is told to stop while it is busy."""

from pathlib import Path

import psutil
import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.e2e.load import Memory, calling_at, loaded
from tests.e2e.reckoning import GRANTED, audit_is_clean
from tests.servers import eventually, serving
from tests.shop import Shop, services_on

EFFECT = {"reserve": {"held"}, "start": {"started"}, "commit": {"committed"}, "release": {"released"}}
"""The state in which each request leaves a reservation."""


async def done_without_answer(services: AsyncContainer, memory: Memory) -> list[str]:
    """The requests whose effect is in the books, and whose sender never heard of it."""
    async with (await services.get(AsyncEngine)).connect() as connection:
        rows = await connection.execute(sa.text("SELECT request, state FROM reservation"))
        states = {row.request: row.state for row in rows}
    last = [(call.request, call.steps[-1].name) for call in memory.unanswered if call.steps]
    return [f"{name} of {request}" for request, name in last if states.get(request) in EFFECT[name]]


@pytest.mark.parametrize("workers", [1, 2])
async def test_whatever_was_begun_is_answered_before_the_end(
    durable_database: str, tmp_path: Path, workers: int
) -> None:
    async with services_on(durable_database) as services:
        shop = Shop(services)
        tenants = [await shop.tenant(amount=str(GRANTED)) for _ in range(5)]
        key = (await shop.service_key()).text
        with serving(durable_database, tmp_path / "log", workers=workers) as server:
            server.wait_until_ready()
            async with calling_at(server, key) as seller, loaded([seller], tenants) as memory:

                async def busy() -> bool:
                    return memory.finished >= 60

                await eventually(busy)
                processes = server.processes()
                assert len(processes) >= workers
                server.process.terminate()

                async def ended() -> bool:
                    return server.process.poll() is not None

                await eventually(ended)
        assert server.process.returncode == 0
        assert not [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
        assert (memory.refusals, memory.away) == ([], 0)
        assert await done_without_answer(services, memory) == []
        assert [line for line in server.lines() if line["level"] != "info"] == []
        await audit_is_clean(services)
