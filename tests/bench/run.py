"""The order of things: what is started, what it is asked, and what is kept of it."""

import asyncio
from dataclasses import dataclass, field
from functools import partial
from math import ceil
from pathlib import Path
from statistics import median

from rich.console import Console

from adapters.embedded.postgres import EmbeddedPostgres
from tests.bench import events, history, pgbench, plan, stage
from tests.bench.budgets import (
    BUSY,
    CALM,
    CROWD,
    DATABASE,
    FEW,
    FLOWING,
    HOT,
    IDLE,
    LIMITED,
    MODEL,
    PAIRS,
    QUIET,
    SERVER,
    Figures,
    Flow,
    Row,
)
from tests.bench.events import Posting
from tests.bench.plan import Outcome, Plan
from tests.bench.sign_ins import SignedIn, SignIns, signing_in
from tests.bench.stage import Service
from tests.bench.tenants import ANSWER, Tenants
from tests.rabbit_servers import RABBITMQ_URL, new_prefix, rabbitmq_is_reachable

RATE = 20  # sign-ins a second
RATE_OF_EVENTS = 1000  # a second
CLIENTS = (1, 16, CROWD)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lengths:
    """Seconds of a run, and of what is not counted before it; how often a cost is measured for its median."""

    seconds: float
    warm_up: float
    repeats: int


@dataclass(kw_only=True)
class Bench:
    """``output`` takes what the servers say."""

    postgres: EmbeddedPostgres
    tenants: Tenants
    lengths: Lengths
    output: Path
    log: Console
    rows: list[Row] = field(default_factory=list)
    memory_mb: float = 0.0
    ready_seconds: float = 0.0
    sign_ins: float = 0.0
    flows: list[Flow] = field(default_factory=list)

    def run(self, *, few: int, many: int) -> Figures:
        """``few`` and ``many``: usage records."""
        ceiling = self._ceiling()
        with stage.server(self.postgres.url, workers=1, log=self.output):
            pass  # compiles what is not compiled yet
        self._serve(1)
        alone = self._pgbench()
        self._serve(2)
        self._ask_model()
        self._sign_in()
        self._flow()
        costs = [self._cost(have, want) for have, want in ((0, few), (few, many))]
        return Figures(
            rows=self.rows,
            pgbench=alone,
            growth=costs[1] / costs[0],
            memory_mb=self.memory_mb,
            ready_seconds=self.ready_seconds,
            ceiling=ceiling,
            sign_ins=self.sign_ins,
            flows=self.flows,
        )

    def _ceiling(self) -> float:
        """What the load generator comes to where the other side does nothing."""
        with stage.upstream(log=self.output) as nothing:
            return self._measure("nothing", nothing, [plan.request("GET", "/")], workers=0).rate

    def _serve(self, workers: int) -> None:
        tenants = self.tenants
        idle = [plan.request("GET", "/health/live")]
        hot = [tenants.reserve(tenants.keys[0])]
        limited = [tenants.reserve(tenants.limited)]
        crowd = [tenants.reserve(key) for key in tenants.keys[1:]]
        with stage.server(self.postgres.url, workers=workers, log=self.output) as server:
            for name, requests in ((IDLE, idle), (HOT, hot), ("reserve, 50 workspaces", crowd)):
                for clients in CLIENTS:
                    self._measure(name, server, requests, clients=clients, workers=workers)
            if workers == 1:  # what is compared is measured in turn, as machines are noisy
                for _ in range(self.lengths.repeats - 1):
                    self._measure(IDLE, server, idle)
                    self._measure(HOT, server, hot)
                    self._measure(PAIRS, server, hot, then=tenants.commit())
                    self._measure(LIMITED, server, limited, then=tenants.commit())
            self._measure(PAIRS, server, hot, then=tenants.commit(), workers=workers)
            self._measure(LIMITED, server, limited, then=tenants.commit(), workers=workers)
            self._measure("run, echo", server, [tenants.echo()], workers=workers)
            self.memory_mb = max(self.memory_mb, server.memory_mb())
            if workers == 1:  # more of them start at once, and share the cores while they do
                self.ready_seconds = server.ready_seconds

    def _ask_model(self) -> None:
        with stage.upstream(log=self.output, content=ANSWER) as model:
            models = {"default": f"http://127.0.0.1:{model.port}/v1"}
            with stage.server(self.postgres.url, workers=1, log=self.output, models=models) as server:
                for clients in CLIENTS:
                    self._measure(MODEL, server, [self.tenants.echo()], clients=clients)

    def _sign_in(self) -> None:
        """Few clients, so that there is room for sign-ins; quiet and busy in turn, as machines are noisy."""
        requests = [self.tenants.reserve(self.tenants.keys[0])]
        outcomes: list[SignedIn] = []
        seconds = self.lengths.warm_up + self.lengths.seconds + 1
        with stage.server(self.postgres.url, workers=1, log=self.output) as server:
            for turn in range(max(3, self.lengths.repeats)):
                self._measure(QUIET, server, requests, clients=FEW)
                asked = range(turn * RATE * ceil(seconds), (turn + 1) * RATE * ceil(seconds))
                people = [self.tenants.sign_in(at) for at in asked]
                with signing_in(
                    SignIns(port=server.port, rate=RATE, seconds=seconds, requests=people), outcomes
                ):
                    self._measure(BUSY, server, requests, clients=FEW)
                self.log.print(f"sign-ins: {outcomes[-1]}")
        self.sign_ins = min(each.rate for each in outcomes)

    def _flow(self) -> None:
        """Events by each way: a backlog as fast as can be, then so many a second, beside reserves."""
        ways = [("PostgreSQL", None), *([("RabbitMQ", RABBITMQ_URL)] if rabbitmq_is_reachable() else [])]
        url, seconds = self.postgres.url, 4 * self.lengths.seconds
        hot = [self.tenants.reserve(self.tenants.keys[0])]
        done = 0
        with stage.server(url, workers=1, log=self.output) as server:
            for way, rabbitmq_url in ways:
                prefix = new_prefix()
                work = partial(events.worker, url, rabbitmq_url=rabbitmq_url, prefix=prefix, log=self.output)
                with work() as backlog:
                    count = round(1000 * seconds)
                    events.post(Posting(url=url, count=count)).wait()
                    done += count
                    asyncio.run(events.wait_until_acted(url, done))
                with work() as flow:
                    count = round(RATE_OF_EVENTS * seconds)
                    events.post(Posting(url=url, count=count, rate=RATE_OF_EVENTS)).wait()
                    done += count
                    asyncio.run(events.wait_until_acted(url, done))
                for _ in range(self.lengths.repeats):
                    self._measure(CALM, server, hot, clients=FEW)
                    with work():
                        busy = self.lengths.warm_up + self.lengths.seconds + 1
                        count = round(RATE_OF_EVENTS * busy)
                        posting = events.post(Posting(url=url, count=count, rate=RATE_OF_EVENTS))
                        self._measure(FLOWING, server, hot, clients=FEW)
                        posting.wait()
                        done += count
                        asyncio.run(events.wait_until_acted(url, done))
                self.flows.append(
                    Flow(way=way, rate=backlog[0].rate, p50_ms=flow[0].p50_ms, p99_ms=flow[0].p99_ms)
                )
                self.log.print(f"events: {self.flows[-1]}")
                if rabbitmq_url is not None:
                    asyncio.run(events.clean(prefix))

    def _pgbench(self) -> float:
        """Transactions a second of the better known way."""
        url, account = self.postgres.url, self.tenants.account
        rates = []
        for name, text in (
            ("pgbench, step by step", pgbench.STEPS),
            ("pgbench, one statement", pgbench.WHOLE),
        ):
            script = asyncio.run(pgbench.script(url, account, text))
            seconds = max(1, round(self.lengths.seconds))
            outcome = pgbench.measure(url, script, clients=CROWD, seconds=seconds)
            rates.append(self._note(Row(name=name, clients=CROWD, workers=0, outcome=outcome)).rate)
        return rates[0]

    def _cost(self, have: int, want: int) -> float:
        """Microseconds of CPU, the server's and PostgreSQL's, for a reservation and its commit."""
        url, tenants = self.postgres.url, self.tenants
        asyncio.run(history.fill(url, tenants.account, have=have, want=want))
        name = f"{PAIRS}, {want:,} records"
        with stage.server(url, workers=1, log=self.output) as server:
            hot = [tenants.reserve(tenants.keys[0])]
            runs = [
                self._measure(name, server, hot, then=tenants.commit()) for _ in range(self.lengths.repeats)
            ]
        return median(each.cpu_us(SERVER) + each.cpu_us(DATABASE) for each in runs)

    def _measure(
        self,
        name: str,
        server: Service,
        requests: list[str],
        *,
        clients: int = CROWD,
        workers: int = 1,
        then: str | None = None,
    ) -> Outcome:
        outcome = plan.run(
            Plan(
                port=server.port,
                connections=clients,
                warm_up=self.lengths.warm_up,
                seconds=self.lengths.seconds,
                requests=requests,
                then=then,
                watch={SERVER: server.pid, DATABASE: self.postgres.pid or server.pid},
            )
        )
        return self._note(Row(name=name, clients=clients, workers=workers, outcome=outcome))

    def _note(self, row: Row) -> Outcome:
        outcome = row.outcome
        self.log.print(f"{row.name}, {row.clients} clients, {row.workers} processes: {outcome.rate:,.0f}/s")
        if outcome.unexpected:
            self.log.print(f"{outcome.unexpected} wrong answers, such as {outcome.sample}", style="red")
        self.rows.append(row)
        return outcome
