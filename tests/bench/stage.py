"""The processes that the bench measures: started as an operator starts them, stopped with the bench."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

SECRET = b64encode(bytes(32)).decode()
LONGEST_START = 60.0
LONGEST_STOP = 30.0
CUEBX = Path(sys.executable).with_name("cuebx")


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """``pid`` is the one that was started; ``ready_seconds`` is from its start to its first ready answer."""

    port: int
    pid: int
    ready_seconds: float

    def memory_mb(self) -> float:
        """Of the largest of its processes, resident, in MB of a million bytes."""
        root = psutil.Process(self.pid)
        return max(each.memory_info().rss for each in (root, *root.children(recursive=True))) / 1e6


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
    return port


@contextmanager
def service(
    command: list[str], *, port: int, probe: str, log: Path, env: dict[str, str] | None = None
) -> Iterator[Service]:
    """Runs ``command`` until the block ends; the block begins when GET ``probe`` is answered with 200.

    What it says goes to the file ``log``. Raises RuntimeError where it does not start.
    """
    started = time.monotonic()
    with log.open("ab") as stream:
        process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            env=environment(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )
    try:
        while not answers(port, probe):
            if process.poll() is not None or time.monotonic() - started > LONGEST_START:
                raise RuntimeError(f"{command} did not start: {log.read_text()[-2000:]}")
            time.sleep(0.01)
        yield Service(port=port, pid=process.pid, ready_seconds=time.monotonic() - started)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(LONGEST_STOP)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise


def environment(more: dict[str, str]) -> dict[str, str]:
    """With bytecode, as whatever is installed has it, even where this process writes none."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"} | more


def answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


@contextmanager
def server(
    database_url: str, *, workers: int, log: Path, models: dict[str, str] | None = None
) -> Iterator[Service]:
    """``cuebx serve``. ``models`` gives the base URL for each alias of the catalog.

    X-Forwarded-For says where requests come from.
    """
    port = free_port()
    env = {
        "CUEBX_DATABASE_URL": database_url,
        "CUEBX_PROFILE": "embedded",
        "CUEBX_PORT": str(port),
        "CUEBX_WORKERS": str(workers),
        "CUEBX_SECRET": SECRET,
        "CUEBX_TRUSTED_PROXIES": "127.0.0.1",
    }
    for alias, url in (models or {}).items():
        name = "CUEBX_MODEL_" + alias.upper().replace("-", "_")
        env |= {f"{name}_URL": url, f"{name}_NAME": "bench", f"{name}_KEY": "bench"}
    with service([str(CUEBX), "serve"], port=port, probe="/health/ready", log=log, env=env) as running:
        yield running


@contextmanager
def upstream(*, log: Path, content: str = "{}") -> Iterator[Service]:
    port = free_port()
    command = [sys.executable, "-m", "tests.bench.upstream", str(port), content]
    with service(command, port=port, probe="/", log=log) as running:
        yield running
