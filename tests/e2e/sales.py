"""A server and a worker that sell by a Stripe of the test's own, and can be killed at any step."""

import asyncio
from collections.abc import AsyncIterator, Collection, Coroutine, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen
from typing import Any

import httpx
import msgspec
import psutil
import sqlalchemy as sa
from anyio import to_thread
from dishka import AsyncContainer
from sqlalchemy.ext.asyncio import AsyncEngine

from application.actor import Operator
from application.billing.prices import PublishPrices
from application.billing.reconcile import Reconcile
from application.jobs.run import JobTable
from entrypoints import container
from tests.e2e.reckoning import audit_is_clean
from tests.e2e.steps import Step, Steps, Who
from tests.fakes.stripe.wire import Object
from tests.fakes.stripe_server import WEBHOOK_SECRET, StripeServer, stripe_server
from tests.servers import Server, eventually, serving, worker
from tests.shop import SECRET, Somebody, embedded

_WAITS = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM delivery) AS waits"


@dataclass
class Sales:
    """``owner`` has every team. ``held`` messages are of buyers who are held at a step of the worker."""

    database: str
    folder: Path
    services: AsyncContainer
    there: StripeServer
    steps: Steps
    owner: Somebody
    http: httpx.AsyncClient
    stack: ExitStack
    settings: dict[str, object]
    held: int = 0
    started: int = 0
    server: Server = field(init=False)
    workers: list[Popen[bytes]] = field(default_factory=list)
    walking: list[asyncio.Task[None]] = field(default_factory=list)

    async def start_server(self) -> None:
        opened = serving(self.database, self._log(), **self.settings)
        self.server = self.stack.enter_context(opened)
        await asyncio.to_thread(self.server.wait_until_ready)
        self.there.webhooks.url = f"{self.server.url}/v1/webhooks/stripe"

    async def start_worker(self) -> None:
        opened = worker(self.database, self._log(), clock_ahead=False, **self.settings)
        self.workers.append(await asyncio.to_thread(self.stack.enter_context, opened))

    def _log(self) -> Path:
        self.started += 1
        return self.folder / f"{self.started}.log"

    async def killed(self, who: Collection[Who] = tuple(Who)) -> None:
        """They die with all that they started, and others begin where they were."""
        server, workers = Who.SERVER in who, set(who) - {Who.SERVER}
        for process in ([self.server.process] if server else []) + (self.workers if workers else []):
            root = psutil.Process(process.pid)
            for each in (root, *root.children(recursive=True)):
                each.kill()
            process.wait()
        await self.let_go()
        if workers:
            self.workers.clear()
            await self.change("UPDATE delivery SET due_at = now()")  # as when the leases are over
            await self.change("UPDATE top_up SET created_at = created_at - interval '5 minutes'")
        starts = ([self.start_server()] if server else []) + ([self.start_worker()] if workers else [])
        await asyncio.gather(*starts)

    async def let_go(self) -> None:
        """Whoever walks or is held gets no answer."""
        self.steps.gone()
        self.steps.begin(None)
        self.held = 0
        for each in self.walking:
            each.cancel()
            with suppress(asyncio.CancelledError, httpx.TransportError):
                await each
        self.walking.clear()

    async def walk(self, path: Coroutine[Any, Any, None], until: Step | None = None) -> Sequence[Step]:
        """Until it is held there; else to its end. The answer is what was asked of Stripe meanwhile."""
        self.steps.begin(until)
        task = asyncio.create_task(path)
        self.walking.append(task)

        async def arrived() -> bool:
            return self.steps.held or task.done()

        await eventually(arrived)
        if task.done():
            await task
        assert self.steps.held is (until is not None), f"{until} is not one of {self.steps.seen}"
        if self.steps.held and self.steps.who is not Who.SERVER:
            self.held += 1
            task.cancel()  # it waits for what will not come
        return self.steps.seen

    async def locked(self, count: int, statement: str) -> None:
        """So many are at a statement that begins like this, and wait for what a test has locked."""
        wanted = f"wait_event_type = 'Lock' AND query LIKE '{statement}%' AND datname = current_database()"

        async def so_many() -> bool:
            return await self.count(f"SELECT count(*) FROM pg_stat_activity WHERE {wanted}") == count  # noqa: S608 - ours

        await eventually(so_many)

    async def acted(self) -> None:
        """On all that waits but for those that are held."""

        async def quiet() -> bool:
            return await self.count(_WAITS) <= self.held

        await eventually(quiet)

    async def told(self, event: Object) -> None:
        """As Stripe tells: again and again until it is taken."""

        async def taken() -> bool:
            return await self.tell(event)

        await eventually(taken)
        self.heard(event)

    async def tell(self, event: Object) -> bool:
        """Once. Whether it was taken."""
        return await to_thread.run_sync(self.there.webhooks.send, event)

    def heard(self, event: Object) -> None:
        with self.there.lock:
            self.there.state.untold.remove(event)

    async def quiet(self) -> None:
        """Stripe has told all that it had to, and all of it was acted on. Nobody waits for a second try."""
        self.there.webhooks.held = False
        self.there.webhooks.more.set()
        soon = "due_at > now() AND due_at < now() + interval '6 seconds'"

        async def quiet() -> bool:
            if self.there.state.untold:
                return False
            await self.change(f"UPDATE delivery SET due_at = now() WHERE {soon}")  # noqa: S608 - ours
            return await self.count(_WAITS) == 0

        await eventually(quiet)
        self.there.webhooks.held = True

    async def is_in_order(self) -> None:
        """No dead letter; the books add up, and agree with Stripe's."""
        assert await self.rows("SELECT reason FROM dead_letter") == []
        await audit_is_clean(self.services)
        assert list(await (await self.services.get(Reconcile))(Operator())) == []

    async def rows(self, statement: str) -> list[tuple[Any, ...]]:
        async with (await self.services.get(AsyncEngine)).connect() as connection:
            return [tuple(row) for row in await connection.execute(sa.text(statement))]

    async def count(self, statement: str) -> int:
        [(found,)] = await self.rows(statement)
        return int(found)

    async def change(self, statement: str) -> None:
        async with self.lock(statement):
            pass

    @asynccontextmanager
    async def lock(self, *statements: str) -> AsyncIterator[None]:
        """What they lock is locked for the block."""
        async with (await self.services.get(AsyncEngine)).begin() as connection:
            for each in statements:
                await connection.execute(sa.text(each))
            yield


@asynccontextmanager
async def selling(database: str, folder: Path) -> AsyncIterator[Sales]:
    """No process yet; and none will run a job, which would ask Stripe by itself."""
    with stripe_server(held=True) as there, ExitStack() as stack:
        stripe = {
            "stripe_api_key": there.api_key,
            "stripe_url": there.url,
            "stripe_webhook_secret": WEBHOOK_SECRET,
            "billing_return_url": "https://app.example/billing",
        }
        services = container.build(msgspec.structs.replace(embedded(database, str(folder)), **stripe))
        settings: dict[str, object] = {"secret": SECRET, "mail_dir": str(folder), **stripe}
        try:
            await (await services.get(PublishPrices))(Operator())
            there.events()
            owner = await Somebody.on(services, "ada@example.org")
            async with httpx.AsyncClient(timeout=60) as http:
                sales = Sales(database, folder, services, there, Steps(), owner, http, stack, settings)
                jobs = ", ".join(
                    f"('{job.name}', now() + interval '1 day')" for job in (await services.get(JobTable)).jobs
                )
                await sales.change(f"INSERT INTO job_tick (job, due_at) VALUES {jobs}")  # noqa: S608 - ours
                there.watch = sales.steps
                yield sales
        finally:
            there.watch = None
            await services.close()
