"""What the load generator is told, and what it tells back."""

import subprocess
import sys
from collections.abc import Sequence
from math import ceil

import msgspec

ROOM = 60.0  # seconds for a run to begin and end, besides its own


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """One run.

    ``requests`` are whole HTTP/1.1 texts, taken in turn; ``{nonce}`` in one becomes unique each time.
    ``then`` follows each expected answer on the same connection, with ``{id}`` from that answer; the two
    count as one. ``watch`` names processes whose CPU time, with their children's, is read at both ends.
    """

    host: str = "127.0.0.1"
    port: int
    connections: int
    warm_up: float
    seconds: float
    requests: list[str]
    then: str | None = None
    expect: frozenset[int] = frozenset({200, 201})
    watch: dict[str, int]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """``generator_cpu`` is in cores, ``cpu_seconds`` by the names of ``watch``.

    ``sample`` is the first of the answers that were not expected.
    """

    requests: int
    seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    generator_cpu: float
    cpu_seconds: dict[str, float]
    unexpected: int
    sample: str

    @property
    def rate(self) -> float:
        """Answers per second."""
        return self.requests / self.seconds

    def cpu_us(self, name: str) -> float:
        """Microseconds of CPU per answer."""
        return self.cpu_seconds[name] / max(1, self.requests) * 1e6


def percentile(ordered: Sequence[float], share: float) -> float:
    """By nearest rank. 0 of nothing."""
    return ordered[max(0, ceil(share * len(ordered)) - 1)] if ordered else 0.0


def request(method: str, path: str, *, headers: dict[str, str] | None = None, body: object = None) -> str:
    payload = "" if body is None else msgspec.json.encode(body).decode()
    lines = [f"{method} {path} HTTP/1.1", "Host: bench"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(payload.encode())}"]
    return "\r\n".join([*lines, "", payload])


def run(plan: Plan) -> Outcome:
    """In a process of its own. Raises subprocess.SubprocessError where it fails or hangs."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.load"],
        input=msgspec.json.encode(plan),
        stdout=subprocess.PIPE,
        timeout=plan.warm_up + plan.seconds + ROOM,
        check=True,
    )
    return msgspec.json.decode(done.stdout, type=Outcome)
