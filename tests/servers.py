"""Server processes, started and stopped as an operator would."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

PATIENCE = 60.0
CUEBX = [sys.executable, "-m", "entrypoints.cli.main"]
ROOT = Path(__file__).parents[1]


def wait_for(true: Callable[[], object], *, seconds: float = PATIENCE) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not happen in time"
        time.sleep(0.01)


def environment(database: str, **settings: object) -> dict[str, str]:
    """Of a process that works on ``database``, whatever the environment of the tests says of CueBX."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUEBX_")}
    own = {"DATABASE_URL": database, "PROFILE": "embedded"}
    own |= {name.upper(): str(value) for name, value in settings.items()}
    return kept | {f"CUEBX_{name}": value for name, value in own.items()}


def cuebx(database: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command to its end."""
    return subprocess.run(  # noqa: S603 - the program is ours
        [*CUEBX, *arguments],
        cwd=ROOT, env=environment(database), capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


async def eventually(
    check: Callable[[], Awaitable[bool]], *, within: float = PATIENCE, every: float = 0.01
) -> None:
    """Asks until it is so. Raises TimeoutError."""
    async with asyncio.timeout(within):
        while True:
            if await check():
                return
            await asyncio.sleep(every)


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One `cuebx serve`, with the processes that it started."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until_ready(self) -> None:
        until = time.monotonic() + PATIENCE
        with httpx.Client(base_url=self.url, verify=False) as http:  # noqa: S501 - there is no TLS
            while self.process.poll() is None and time.monotonic() < until:
                with suppress(httpx.TransportError):
                    if http.get("/health/ready").is_success:
                        return
                time.sleep(0.02)
        raise AssertionError(f"it did not start: {self.log.read_text()}")

    def lines(self) -> list[dict[str, Any]]:
        """What it logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.startswith("{")]

    def processes(self) -> list[psutil.Process]:
        root = psutil.Process(self.process.pid)
        return [root, *root.children(recursive=True)]

    def kill(self) -> None:
        """As a crash does: it is told nothing."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> int:
        """The exit status of an orderly end."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def serving(database: str, log: Path, **settings: object) -> Iterator[Server]:
    """A server process for the block. It is perhaps not ready yet (``wait_until_ready``)."""
    port = free_port()
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - the program is ours
            [*CUEBX, "serve"],
            cwd=ROOT, env=environment(database, port=port, **settings), stdin=subprocess.DEVNULL,
            stdout=stream, stderr=stream,
        )  # fmt: skip
    try:
        yield Server(url=f"http://127.0.0.1:{port}", process=process, log=log)
    finally:
        process.kill()
        process.wait()


_AHEAD = """
import datetime, adapters.clock
class Ahead(adapters.clock.SystemClock):
    def now(self):
        return super().now() + datetime.timedelta(minutes=5)
adapters.clock.SystemClock = Ahead
from entrypoints.cli.main import main
main()
"""


@contextmanager
def worker(
    database: str, log: Path, *, clock_ahead: bool = False, **settings: object
) -> Iterator[subprocess.Popen[bytes]]:
    """A `cuebx worker` for the block, at work. With ``clock_ahead``, its clock is five minutes off."""
    program = [sys.executable, "-c", _AHEAD] if clock_ahead else CUEBX
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - the program is ours
            [*program, "worker"],
            cwd=ROOT, env=environment(database, **settings), stdin=subprocess.DEVNULL,
            stdout=stream, stderr=stream,
        )  # fmt: skip
    try:
        wait_for(lambda: process.poll() is not None or "CueBX works on" in log.read_text())
        assert process.poll() is None, log.read_text()
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def two_serving(database: str, folder: Path, **settings: object) -> Iterator[tuple[Server, Server]]:
    """Two server processes on one database, ready."""
    with (
        serving(database, folder / "one.log", **settings) as one,
        serving(database, folder / "two.log", **settings) as two,
    ):
        one.wait_until_ready()
        two.wait_until_ready()
        yield one, two
