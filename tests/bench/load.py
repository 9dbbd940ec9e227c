"""The load generator: a process of its own, closed loop, keep-alive connections, nothing but bytes.

No maintained load generator in C or Rust comes as a wheel, so this is ours, as thin as Python allows:
uvloop's transports, requests cut before the clock starts, an answer read no further than status and length.
What it costs is in every result (``generator_cpu``), and the bench measures its ceiling against a server
that does nothing, so that whoever reads the table sees how far it was from being the bottleneck.

    python -m tests.bench.load < plan.json > outcome.json
"""

import asyncio
import secrets
import sys
import time
from array import array
from collections import Counter
from typing import cast

import msgspec
import psutil
import uvloop

from tests.bench.plan import Outcome, Plan, percentile

PATIENCE = 60.0  # seconds that an answer may take before the run is given up


class Shot:
    """A request, cut where ``mark`` stands, if it does."""

    def __init__(self, text: str, mark: str) -> None:
        self._before, self._cut, self._after = (part.encode() for part in text.partition(mark))

    def fill(self, value: bytes) -> bytes:
        return b"%b%b%b" % (self._before, value, self._after) if self._cut else self._before


class Run:
    """What all connections share: the requests, whether it counts, the score."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.first = [Shot(text, "{nonce}") for text in plan.requests]
        self.then = Shot(plan.then, "{id}") if plan.then else None
        self.prefix = secrets.token_hex(8).encode()
        self.sent = 0
        self.open = plan.connections
        self.counting = False
        self.ended = False
        self.latencies = array("d")
        self.statuses: Counter[int] = Counter()
        self.sample = ""
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def next(self) -> bytes:
        self.sent += 1
        return self.first[self.sent % len(self.first)].fill(b"%b%016x" % (self.prefix, self.sent))

    def unexpected(self, status: int, body: bytes) -> bool:
        """Whether it is, and the first one is kept to be shown."""
        if status in self.plan.expect:
            return False
        self.sample = self.sample or f"{status} {body[:400].decode(errors='replace')}"
        return True

    def fail(self, reason: str) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError(reason))

    def leave(self) -> None:
        self.open -= 1
        if self.open == 0 and not self.done.done():
            self.done.set_result(None)


class Client(asyncio.Protocol):
    """Sends, waits for the whole answer, sends the next."""

    transport: asyncio.WriteTransport

    def __init__(self, run: Run) -> None:
        self.run = run
        self.buffer = b""
        self.since = 0.0
        self.following = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.WriteTransport", transport)

    def begin(self) -> None:
        self.since = time.perf_counter()
        self.transport.write(self.run.next())

    def data_received(self, data: bytes) -> None:
        self.buffer = data = self.buffer + data if self.buffer else data
        end = data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = content_length(data[:end])
        if length is None:
            self.run.fail(f"an answer without a length: {data[:end]!r}")
        elif len(data) >= end + 4 + length:
            self.buffer = b""
            self.answered(int(data[9:12]), data[end + 4 :])

    def answered(self, status: int, body: bytes) -> None:
        run = self.run
        bad = run.unexpected(status, body)
        if run.then is not None and not self.following and not bad:
            self.following = True
            start = body.index(b'"id":"') + 6
            self.transport.write(run.then.fill(body[start : body.index(b'"', start)]))
            return
        self.following = False
        now = time.perf_counter()
        if run.counting:
            run.latencies.append(now - self.since)
            run.statuses[status] += 1
        if run.ended:
            self.transport.close()
            return
        self.since = now
        self.transport.write(run.next())

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.run.ended:
            self.run.fail(f"the server closed the connection: {exc}")
        self.run.leave()


def content_length(head: bytes) -> int | None:
    mark = head.lower().find(b"content-length:")
    return int(head[mark + 15 :].split(b"\r\n", 1)[0]) if mark >= 0 else None


def cpu_seconds(pid: int) -> float:
    """Of the process and its descendants, those that have ended and were waited for included."""
    total = 0.0
    root = psutil.Process(pid)
    for each in (root, *root.children(recursive=True)):
        try:
            spent = each.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


async def fire(plan: Plan) -> Outcome:
    run = Run(plan)
    loop = asyncio.get_running_loop()
    for _ in range(plan.connections):
        _, client = await loop.create_connection(lambda: Client(run), plan.host, plan.port)
        client.begin()
    await asyncio.wait({run.done}, timeout=plan.warm_up)

    before = {name: cpu_seconds(pid) for name, pid in plan.watch.items()}
    started, own = time.perf_counter(), time.process_time()
    run.counting = True
    await asyncio.wait({run.done}, timeout=plan.seconds)
    run.counting = False
    seconds, own = time.perf_counter() - started, time.process_time() - own
    spent = {name: cpu_seconds(pid) - before[name] for name, pid in plan.watch.items()}

    run.ended = True
    await asyncio.wait_for(run.done, PATIENCE)
    ordered = sorted(run.latencies)
    return Outcome(
        requests=len(ordered),
        seconds=seconds,
        p50_ms=percentile(ordered, 0.50) * 1e3,
        p99_ms=percentile(ordered, 0.99) * 1e3,
        max_ms=percentile(ordered, 1.0) * 1e3,
        generator_cpu=own / seconds,
        cpu_seconds=spent,
        unexpected=sum(n for status, n in run.statuses.items() if status not in plan.expect),
        sample=run.sample,
    )


def main() -> None:
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(fire(plan))))


if __name__ == "__main__":
    main()
