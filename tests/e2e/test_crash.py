"""A server process is killed in the middle of its work."""

from pathlib import Path

from tests.e2e.load import calling_at, loaded
from tests.e2e.reckoning import (
    GRANTED,
    answers_are_true,
    audit_is_clean,
    books_are_those_of,
    every_call_is_finished,
    no_hold_outlives_its_deadline,
)
from tests.servers import cuebx, eventually, serving
from tests.shop import Shop, services_on

MANY = 120


async def test_a_killed_server_leaves_books_that_add_up_and_answers_that_are_true(
    durable_database: str, tmp_path: Path
) -> None:
    async with services_on(durable_database) as services:
        shop = Shop(services)
        tenants = [await shop.tenant(amount=str(GRANTED)) for _ in range(5)]
        key = (await shop.service_key()).text
        with serving(durable_database, tmp_path / "first.log") as server:
            server.wait_until_ready()
            async with calling_at(server, key) as seller, loaded([seller], tenants) as memory:

                async def busy() -> bool:
                    return memory.finished >= MANY

                await eventually(busy)
                server.kill()
        assert memory.unanswered
        assert memory.refusals == []
        audited = cuebx(durable_database, "audit")
        assert (audited.returncode, audited.stdout) == (0, "The books add up.\n"), audited.stderr
        with serving(durable_database, tmp_path / "second.log") as server:
            server.wait_until_ready()
            async with calling_at(server, key) as seller:
                await answers_are_true(memory, seller)
                await every_call_is_finished(memory, seller)
                await books_are_those_of(memory.calls, tenants, seller)
                await audit_is_clean(services)
                await no_hold_outlives_its_deadline(services, tenants, seller)
                await audit_is_clean(services)
