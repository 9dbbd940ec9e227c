"""What Prometheus is told of the work inside."""

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import QueuePool
from sqlalchemy.ext.asyncio import AsyncEngine

from application.metrics import Meter

SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5)


class PrometheusMeter(Meter):
    def __init__(self, registry: CollectorRegistry) -> None:
        self._sizes = Histogram(
            "cuebx_batch_size", "Commands served by one transaction.", buckets=SIZES, registry=registry
        )
        self._seconds = Histogram(
            "cuebx_batch_seconds", "Time of one transaction.", buckets=SECONDS, registry=registry
        )
        self._commands = Counter(
            "cuebx_commands",
            "Commands of the ledger, by what became of them.",
            ["kind", "outcome"],
            registry=registry,
        )
        self._jobs = Counter(
            "cuebx_jobs", "Background jobs, by how they ended.", ["job", "outcome"], registry=registry
        )
        self._job_seconds = Counter(
            "cuebx_job_seconds", "Time that background jobs took.", ["job"], registry=registry
        )
        self._messages = Counter(
            "cuebx_messages",
            "Messages, by consumer and by what became of them.",
            ["consumer", "outcome"],
            registry=registry,
        )
        self._broken = Counter(
            "cuebx_broken_accounts",
            "Accounts that audits found broken, each time anew.",
            registry=registry,
        )
        self._known: dict[tuple[str, str], Counter] = {}

    def batch(self, size: int, seconds: float) -> None:
        self._sizes.observe(size)
        self._seconds.observe(seconds)

    def command(self, kind: str, outcome: str) -> None:
        known = self._known.get((kind, outcome))
        if known is None:
            known = self._known[kind, outcome] = self._commands.labels(kind, outcome)
        known.inc()

    def job(self, name: str, outcome: str, seconds: float) -> None:
        self._jobs.labels(name, outcome).inc()
        self._job_seconds.labels(name).inc(seconds)

    def message(self, consumer: str, outcome: str) -> None:
        self._messages.labels(consumer, outcome).inc()

    def broken(self, accounts: int) -> None:
        self._broken.inc(accounts)


class PoolUse(Collector):
    """Read when it is asked for, so that it costs the pool's users nothing."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    def collect(self) -> Iterator[Metric]:
        pool = self._engine.pool
        if not isinstance(pool, QueuePool):
            return
        connections = GaugeMetricFamily(
            "cuebx_pool_connections", "Connections to the database.", labels=["state"]
        )
        connections.add_metric(["in_use"], pool.checkedout())
        connections.add_metric(["idle"], pool.checkedin())
        yield connections
        yield GaugeMetricFamily("cuebx_pool_size", "Connections that are kept open.", value=pool.size())
