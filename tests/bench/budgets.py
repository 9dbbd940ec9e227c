"""What is allowed, as ratios of what one run of the bench measured."""

from collections.abc import Sequence
from statistics import median

import msgspec

from tests.bench.plan import Outcome

SERVER = "server"
DATABASE = "database"
CROWD = 64  # clients
IDLE = "no-op"
HOT = "reserve, one workspace"
MODEL = "run, openai"
PAIRS = "reserve + commit"
QUIET = "reserve, quiet"
BUSY = "reserve, 20 sign-ins a second"
FEW = 4  # clients
LIMITED = "reserve + commit, key with a spend limit"
CALM = "reserve, no events"
FLOWING = "reserve, 1000 events a second"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    clients: int
    workers: int
    outcome: Outcome


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """``way`` is what events travel by. ``rate`` is of a backlog; the percentiles are at 1,000 a second."""

    way: str
    rate: float
    p50_ms: float
    p99_ms: float


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """``growth`` is the cost of a reservation with many usage records over that with few.

    ``sign_ins`` is how many were answered a second, of 20 that were asked for.
    """

    rows: Sequence[Row]
    pgbench: float
    growth: float
    memory_mb: float
    ready_seconds: float
    ceiling: float
    sign_ins: float
    flows: Sequence[Flow] = ()

    def one(self, name: str) -> Outcome:
        """With one server process, at 64 clients; the one of median rate, where there are several."""
        runs = [row.outcome for row in self.rows if (row.name, row.clients, row.workers) == (name, CROWD, 1)]
        return sorted(runs, key=lambda run: run.rate)[len(runs) // 2]

    def p99_ms(self, name: str) -> float:
        """The median of the runs."""
        return median(row.outcome.p99_ms for row in self.rows if row.name == name)

    def rate(self, name: str) -> float:
        """The median of the runs."""
        return median(row.outcome.rate for row in self.rows if row.name == name)

    def cost(self, name: str) -> float:
        """Microseconds of CPU, the server's and PostgreSQL's, for an answer: the median of the runs."""
        runs = [row.outcome for row in self.rows if (row.name, row.clients, row.workers) == (name, CROWD, 1)]
        return median(each.cpu_us(SERVER) + each.cpu_us(DATABASE) for each in runs)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    budget: str
    measured: float
    bound: str
    met: bool


def judge(figures: Figures) -> list[Verdict]:
    idle, hot, model = (figures.one(name) for name in (IDLE, HOT, MODEL))
    spread = max(
        row.outcome.p99_ms / row.outcome.p50_ms
        for row in figures.rows
        if row.clients == CROWD and row.name.startswith("reserve")
    )
    flows = figures.flows
    slowed = figures.rate(CALM) / figures.rate(FLOWING)
    busiest = max(row.outcome.generator_cpu for row in figures.rows if row.workers)
    limited = figures.cost(LIMITED) / figures.cost(PAIRS)
    calm = figures.p99_ms(BUSY) / figures.p99_ms(QUIET)
    return [
        _at_least(0.5, "reserve / no-op endpoint", hot.rate / idle.rate),
        _at_least(1, "reserve / pgbench", hot.rate / figures.pgbench),
        _at_most(10, "p99 / p50 of reserve, the worst", spread),
        _at_most(1.2, "cost with many records / with few", figures.growth),
        _at_most(1.1, "cost with a key's spend limit / without", limited),
        _at_most(1.5, "p99 of reserve during 20 sign-ins a second / quiet", calm),
        _at_least(19, "sign-ins a second meanwhile", figures.sign_ins),
        *(_at_least(1000, f"events a second by {each.way}", each.rate) for each in flows),
        *(
            _at_most(250, f"p99 from commit to handled by {each.way}, ms", each.p99_ms)
            for each in figures.flows
        ),
        _at_most(1.1, "reserve, quiet / during 1000 events a second", slowed),
        _at_most(250, "CPU of the server per reserve, us", hot.cpu_us(SERVER)),
        _at_least(0.25, "run through openai / no-op endpoint", model.rate / idle.rate),
        _at_most(150, "memory of a server process, MB", figures.memory_mb),
        _at_most(3, "from start to ready, s", figures.ready_seconds),
        _at_most(0.8, "load generator, cores", busiest),
        _at_least(3, "load generator's ceiling / no-op endpoint", figures.ceiling / idle.rate),
    ]


def _at_least(bound: float, budget: str, measured: float) -> Verdict:
    return Verdict(budget=budget, measured=measured, bound=f">= {bound:g}", met=measured >= bound)


def _at_most(bound: float, budget: str, measured: float) -> Verdict:
    return Verdict(budget=budget, measured=measured, bound=f"<= {bound:g}", met=measured <= bound)
