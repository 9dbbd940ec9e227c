"""What was committed is acted on exactly once in effect, whatever dies in between."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import pytest
import sqlalchemy as sa
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.notifications.post import PostMail
from domain.identity.mail import Mail
from entrypoints.http.app import create_app
from tests.e2e.reckoning import audit_is_clean
from tests.e2e.test_outage import start_again, stop_at_once
from tests.fakes.brevo_server import API_KEY, BrevoServer, brevo_server
from tests.fakes.proxy import lossy
from tests.rabbit_node import RabbitNode, rabbit_node, rabbitmq_is_installed
from tests.rabbit_servers import new_prefix
from tests.servers import eventually, worker
from tests.shop import SECRET, Caller, Shop, services_on

MANY = 1000
WAYS = ["postgres", *(["rabbitmq"] if rabbitmq_is_installed() else [])]
PATIENCE = 150.0


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    with rabbit_node(tmp_path_factory.mktemp("rabbit")) as node:
        yield node


@dataclass
class Works:
    """A database, and what its workers are told."""

    database: str
    folder: Path
    services: AsyncContainer
    brevo: BrevoServer
    settings: dict[str, object]
    node: RabbitNode | None = None
    stack: ExitStack = field(default_factory=ExitStack)

    async def start(self, name: str, *, database: str | None = None, ahead: bool = False) -> Popen[bytes]:
        """A worker, at work until the test ends."""
        log = self.folder / f"{name}.log"
        opened = worker(database or self.database, log, clock_ahead=ahead, **self.settings)
        return await asyncio.to_thread(self.stack.enter_context, opened)

    async def post(self, count: int, to: str = "ada@example.org") -> None:
        uow, post = await self.services.get(SqlUnitOfWork), await self.services.get(PostMail)
        for number in range(count):
            async with uow() as tx:
                facts = {"name": f"number {number}"}
                await post(tx, Mail(to=to, template="password_changed", facts=facts))

    async def count(self, statement: str) -> int:
        async with (await self.services.get(AsyncEngine)).connect() as connection:
            return int(await connection.scalar(sa.text(statement)) or 0)

    async def all_is_acted_on(self) -> None:
        """Nothing waits, and nothing was given up."""

        async def quiet() -> bool:
            waiting = "(SELECT count(*) FROM outbox) + (SELECT count(*) FROM delivery)"
            return await self.count(f"SELECT {waiting}") == 0

        await eventually(quiet, within=PATIENCE)
        assert await self.count("SELECT count(*) FROM dead_letter") == 0
        await audit_is_clean(self.services)

    async def mails_left(self, count: int) -> None:
        async def sent() -> bool:
            return len(self.brevo.mails) >= count

        await eventually(sent, within=PATIENCE)
        await self.all_is_acted_on()
        assert len(self.brevo.mails) == count

        async def marked() -> bool:
            return await self.count("SELECT count(*) FROM inbox WHERE consumer = 'mail'") == count

        await eventually(marked)


@asynccontextmanager
async def working(database: str, folder: Path, node: RabbitNode | None) -> AsyncIterator[Works]:
    async with services_on(database) as services:
        with brevo_server() as brevo, ExitStack() as stack:
            settings: dict[str, object] = {
                "secret": SECRET,
                "brevo_api_key": API_KEY,
                "brevo_url": brevo.url,
                "mail_from": "CueBX <mail@example.com>",
                "shutdown_seconds": 5,
            }
            if node is not None:
                settings |= {"rabbitmq_url": node.url, "rabbitmq_prefix": new_prefix()}
            yield Works(database, folder, services, brevo, settings, node, stack)


@pytest.fixture(params=WAYS)
async def works(
    durable_database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> AsyncIterator[Works]:
    node = request.getfixturevalue("node") if request.param == "rabbitmq" else None
    async with working(durable_database, tmp_path, node) as works:
        yield works


@pytest.fixture
async def by_rabbitmq(durable_database: str, tmp_path: Path, node: RabbitNode) -> AsyncIterator[Works]:
    async with working(durable_database, tmp_path, node) as works:
        yield works


async def test_a_thousand_queued_runs_survive_a_killed_worker_and_a_clock_that_is_off(works: Works) -> None:
    tenant = await Shop(works.services).tenant(amount="5000")
    app: Any = create_app(works.services)
    first = await works.start("first")
    await works.start("second", ahead=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://cuebx") as http:
        customer = Caller(http, tenant.live)
        inputs = [{"text": f"text {number}"} for number in range(MANY)]
        queued = await customer.post("/v1/features/echo/batches", {"inputs": inputs})
        assert queued.status_code == 202, queued.text
        path = f"/v1/batches/{queued.json()['id']}"

        async def begun() -> bool:
            return bool((await customer.get(path)).json()["done"] >= MANY // 10)

        await eventually(begun, within=PATIENCE)
        first.kill()

        async def ended() -> bool:
            batch = (await customer.get(path)).json()
            return bool(batch["queued"] + batch["running"] == 0)

        await eventually(ended, within=PATIENCE)
        batch = (await customer.get(path)).json()
        balance = (await customer.get("/v1/balance")).json()
    assert (batch["done"], batch["failed"]) == (MANY, 0)
    assert await works.count("SELECT count(*) FROM usage_record") == MANY
    assert await works.count("SELECT count(DISTINCT id) FROM usage_record") == MANY
    assert await works.count("SELECT count(DISTINCT outcome) FROM queued_run WHERE state = 'done'") == MANY
    assert balance["held"] == "0"
    assert float(balance["available"]) == pytest.approx(5000 - float(batch["charged"]))
    await works.all_is_acted_on()


async def test_mails_leave_once_though_the_worker_is_killed_in_the_middle_of_one(works: Works) -> None:
    works.brevo.free.clear()
    first = await works.start("first")
    await works.post(30)

    async def asked() -> bool:
        return works.brevo.asked > 0

    await eventually(asked)
    first.kill()
    works.brevo.free.set()
    await works.start("second")
    await works.mails_left(30)


async def test_mails_leave_once_though_the_database_comes_and_goes(works: Works) -> None:
    async with lossy(works.database) as proxy:
        await works.start("first", database=proxy.url)
        await works.start("second", database=proxy.url)
        posting = asyncio.create_task(works.post(300))
        for _ in range(3):
            seen = len(works.brevo.mails)

            async def more(seen: int = seen) -> bool:
                return len(works.brevo.mails) > seen

            await eventually(more)
            proxy.away = True
            proxy.cut()
            refused = proxy.refused

            async def tried(refused: int = refused) -> bool:
                return proxy.refused > refused

            await eventually(tried)
            proxy.away = False
        await posting
        await works.mails_left(300)


async def test_a_worker_that_is_told_to_stop_finishes_and_leaves_the_rest_to_others(works: Works) -> None:
    first = await works.start("first")
    await works.post(100)

    async def some() -> bool:
        return len(works.brevo.mails) >= 5

    await eventually(some)
    first.send_signal(signal.SIGTERM)
    assert await asyncio.to_thread(first.wait, 30) == 0
    await works.start("second")
    await works.mails_left(100)
    assert works.brevo.asked == 100, "none was handed to Brevo twice"


async def test_mails_leave_once_though_the_mail_service_fails(works: Works) -> None:
    works.brevo.faults += [(500, {}), (429, {"retry-after": "1"}), (0, {})]
    await works.start("first")
    await works.post(5)
    await works.mails_left(5)


@pytest.mark.skipif(not rabbitmq_is_installed(), reason="no RabbitMQ is installed")
async def test_a_broker_that_is_down_or_restarted_loses_and_doubles_nothing(by_rabbitmq: Works) -> None:
    works = by_rabbitmq
    assert works.node is not None
    await works.start("first")
    await works.start("second")
    await works.post(MANY)

    async def some() -> bool:
        return len(works.brevo.mails) >= MANY // 5

    await eventually(some, within=PATIENCE)
    works.node.kill()
    await works.post(20)
    await asyncio.to_thread(works.node.start)
    await works.mails_left(MANY + 20)


async def test_mails_leave_once_though_the_database_is_restarted(
    works: Works, durable_server: EmbeddedPostgres
) -> None:
    await works.post(300)
    await works.start("first")
    await works.start("second")

    async def some() -> bool:
        return len(works.brevo.mails) >= 30

    await eventually(some)
    await stop_at_once(durable_server)
    await start_again(durable_server)
    await works.mails_left(300)
