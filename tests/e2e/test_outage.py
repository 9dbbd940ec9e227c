"""PostgreSQL is restarted under load, the hard way."""

import asyncio
import os
import signal
from pathlib import Path

from adapters.embedded.postgres import EmbeddedPostgres
from tests.e2e.load import Memory, calling_at, loaded
from tests.e2e.reckoning import (
    GRANTED,
    answers_are_true,
    audit_is_clean,
    books_are_those_of,
    every_call_is_finished,
    no_hold_outlives_its_deadline,
)
from tests.servers import eventually, serving
from tests.shop import Shop, services_on


async def finishes(memory: Memory, more: int) -> None:
    """So many further calls are answered to their end."""
    wanted = memory.finished + more

    async def so() -> bool:
        return memory.finished >= wanted

    await eventually(so)


async def stop_at_once(server: EmbeddedPostgres) -> None:
    """Immediate shutdown: every session is broken off, and the next start recovers from the log."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGQUIT)
    await asyncio.to_thread(server.stop)


async def start_again(server: EmbeddedPostgres) -> None:
    await asyncio.to_thread(server.claim)
    await asyncio.to_thread(server.prepare)
    server.launch()  # by this thread, as the database ends with the one that starts it
    await asyncio.to_thread(server.wait)


async def test_a_server_outlives_its_database_and_recovers_by_itself(
    durable_server: EmbeddedPostgres, durable_database: str, tmp_path: Path
) -> None:
    async with services_on(durable_database) as services:
        shop = Shop(services)
        tenants = [await shop.tenant(amount=str(GRANTED)) for _ in range(5)]
        key = (await shop.service_key()).text
        with serving(durable_database, tmp_path / "log") as server:
            server.wait_until_ready()
            async with calling_at(server, key) as seller:
                async with loaded([seller], tenants) as memory:
                    await finishes(memory, 60)
                    await stop_at_once(durable_server)
                    assert (await seller.http.get("/health/live")).status_code == 200
                    assert (await seller.http.get("/health/ready")).status_code == 503
                    await start_again(durable_server)
                    await finishes(memory, 60)
                assert server.process.poll() is None
                assert (await seller.http.get("/health/ready")).status_code == 200
                assert memory.away > 0
                assert [refusal.text for refusal in memory.refusals] == []
                assert memory.broke == 0
                await answers_are_true(memory, seller)
                await every_call_is_finished(memory, seller)
                await books_are_those_of(memory.calls, tenants, seller)
                await no_hold_outlives_its_deadline(services, tenants, seller)
                await audit_is_clean(services)
            unexpected = [line for line in server.lines() if "exception" in line]
            assert unexpected == []
