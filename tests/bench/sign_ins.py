"""People who sign in, so many a second, whatever becomes of those before: an open loop.

python -m tests.bench.sign_ins < plan.json > outcome.json
"""

import asyncio
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
import uvloop

from tests.bench.load import content_length
from tests.bench.plan import percentile


class SignIns(msgspec.Struct, frozen=True, kw_only=True):
    """``requests`` are sent in turn."""

    port: int
    rate: float
    seconds: float
    requests: list[str]


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """``rate`` is how many were answered with 200 in a second."""

    rate: float
    statuses: dict[int, int]
    p50_ms: float
    p99_ms: float


async def sign_in(port: int, request: bytes) -> tuple[int, float]:
    since = time.perf_counter()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(content_length(head) or 0)
    writer.close()
    return int(head[9:12]), time.perf_counter() - since


async def go(plan: SignIns) -> SignedIn:
    started, tasks = time.perf_counter(), []
    for at in range(int(plan.rate * plan.seconds)):
        await asyncio.sleep(max(0.0, started + at / plan.rate - time.perf_counter()))
        request = plan.requests[at % len(plan.requests)].encode()
        tasks.append(asyncio.create_task(sign_in(plan.port, request)))
    answers = await asyncio.gather(*tasks)
    seconds = time.perf_counter() - started
    statuses = Counter(status for status, _ in answers)
    times = sorted(taken for _, taken in answers)
    return SignedIn(
        rate=statuses[200] / seconds,
        statuses=dict(statuses),
        p50_ms=percentile(times, 0.5) * 1000,
        p99_ms=percentile(times, 0.99) * 1000,
    )


@contextmanager
def signing_in(plan: SignIns, outcomes: list[SignedIn]) -> Iterator[None]:
    """From the block's beginning until the plan is over. ``outcomes`` gets what came of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.sign_ins"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    process.stdin.write(msgspec.json.encode(plan))
    process.stdin.close()
    process.stdin = None
    try:
        yield
    finally:
        told, _ = process.communicate(timeout=plan.seconds + 60)
    outcomes.append(msgspec.json.decode(told, type=SignedIn))


if __name__ == "__main__":
    outcome = uvloop.run(go(msgspec.json.decode(sys.stdin.buffer.read(), type=SignIns)))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))
