"""Events on their way from a commit to whoever acts on them.

python -m tests.bench.events work FILE      a worker whose one consumer marks each event in its inbox
python -m tests.bench.events post           commits events, as the plan on its input says
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import msgspec
import uvloop
from dishka import AsyncContainer

from adapters.postgres.engine import make_engine, make_sessions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from adapters.rabbitmq.topology import Topology
from application.events.ports import Subscription
from domain.ids import WorkspaceId
from entrypoints.queue import consumers
from entrypoints.queue.receiver import Consumer, Delivery, Handler
from tests.bench.plan import percentile
from tests.bench.stage import SECRET, environment
from tests.rabbit_servers import named_apart

NAME, KIND = "bench", "bench.happened"
TOGETHER = 10
"""Events of one transaction."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    kind: ClassVar[str] = KIND
    version: ClassVar[int] = 1

    at: float
    workspace: WorkspaceId | None = None


class Happened(msgspec.Struct, frozen=True):
    at: float
    workspace: WorkspaceId | None = None


class Posting(msgspec.Struct, frozen=True, kw_only=True):
    """``rate`` is events a second; none: as fast as it can."""

    url: str
    count: int
    rate: float | None = None


class Acted(msgspec.Struct, frozen=True, kw_only=True):
    """``first`` and ``last``: when an event was acted on. Milliseconds from before the commit to after."""

    count: int
    first: float
    last: float
    p50_ms: float
    p99_ms: float

    @property
    def rate(self) -> float:
        return self.count / (self.last - self.first)


@contextmanager
def worker(url: str, *, rabbitmq_url: str | None, prefix: str, log: Path) -> Iterator[list[Acted]]:
    """For the block; after it, the list says what it did."""
    done = log.with_name(f"acted-{time.monotonic_ns()}.json")
    settings = {"CUEBX_DATABASE_URL": url, "CUEBX_PROFILE": "embedded", "CUEBX_SECRET": SECRET}
    if rabbitmq_url is not None:
        settings |= {"CUEBX_RABBITMQ_URL": rabbitmq_url, "CUEBX_RABBITMQ_PREFIX": prefix}
    acted: list[Acted] = []
    said = log.with_name("worker.log")
    with said.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603 - ours
            [sys.executable, "-m", "tests.bench.events", "work", str(done)],
            env=environment(settings), stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
        )  # fmt: skip
    try:
        while "CueBX works on" not in said.read_text():
            if process.poll() is not None:
                raise RuntimeError(f"no worker: {said.read_text()[-2000:]}")
            time.sleep(0.01)
        yield acted
    finally:
        process.terminate()
        process.wait(30)
    acted.append(msgspec.json.decode(done.read_bytes(), type=Acted))


def post(posting: Posting) -> "subprocess.Popen[bytes]":
    """In a process of its own."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.events", "post"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(posting))
    process.stdin.close()
    return process


async def wait_until_acted(url: str, count: int, *, within: float = 120.0) -> None:
    """Until so many are marked."""
    engine = make_engine(url, pool_size=1)
    try:
        async with asyncio.timeout(within), engine.connect() as connection:
            marked = 0
            while marked < count:
                wanted = f"SELECT count(*) FROM inbox WHERE consumer = '{NAME}'"  # noqa: S608 - a constant
                marked = (await connection.exec_driver_sql(wanted)).scalar_one()
                await connection.rollback()
                await asyncio.sleep(0.05)
    finally:
        await engine.dispose()


async def clean(prefix: str) -> None:
    """What a worker has declared at RabbitMQ is deleted."""
    bench = Subscription(consumer=NAME, kinds=frozenset((KIND,)), at_once=1)
    topology = Topology([*(each.subscription for each in consumers.CONSUMERS), bench], prefix)
    async with named_apart(prefix, *(each.name for each in topology.queues())):
        pass


async def _post(posting: Posting) -> None:
    engine = make_engine(posting.url, pool_size=4)
    uow = SqlUnitOfWork(make_sessions(engine))
    started, turns = time.perf_counter(), iter(range(0, posting.count, TOGETHER))

    async def commit() -> None:
        for turn in turns:
            if posting.rate is not None:
                await asyncio.sleep(max(0.0, started + turn / posting.rate - time.perf_counter()))
            async with uow() as tx:
                await tx.outbox.add(*(Event(at=time.time()) for _ in range(TOGETHER)))

    await asyncio.gather(*(commit() for _ in range(4)))
    await engine.dispose()


def _work(done: Path) -> None:
    ends: list[tuple[float, float]] = []

    async def act(services: AsyncContainer, delivery: Delivery, message: Happened) -> None:
        async with (await services.get(SqlUnitOfWork))() as tx:
            await tx.inbox.take(delivery.consumer, delivery.id)
        ends.append((message.at, time.time()))

    bench = Consumer(name=NAME, handlers={(KIND, 1): Handler(Happened, act)}, at_once=50)
    consumers.CONSUMERS = (*consumers.CONSUMERS, bench)
    from entrypoints.cli.main import main  # noqa: PLC0415 - it reads the consumers

    try:
        main(["worker", "--only", NAME], standalone_mode=False)
    finally:
        times = sorted(end - begin for begin, end in ends) or [0.0]
        acted = Acted(
            count=len(ends),
            first=min((end for _, end in ends), default=0.0),
            last=max((end for _, end in ends), default=0.0),
            p50_ms=percentile(times, 0.5) * 1000,
            p99_ms=percentile(times, 0.99) * 1000,
        )
        done.write_bytes(msgspec.json.encode(acted))


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["work", file]:
            _work(Path(file))
        case _:
            uvloop.run(_post(msgspec.json.decode(sys.stdin.buffer.read(), type=Posting)))
    os._exit(0)
