"""A RabbitMQ of a test's own, to be killed and started again, where its server is installed."""

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from tests.servers import free_port, wait_for

_FOUND = shutil.which("rabbitmq-server")
# The one on the path is a wrapper that changes to the user of the service.
SERVER = Path("/usr/lib/rabbitmq/bin/rabbitmq-server") if _FOUND else None


def rabbitmq_is_installed() -> bool:
    return SERVER is not None and SERVER.exists()


class RabbitNode:
    """What it has confirmed it keeps, over every restart. Its name is a new one, and so is its port."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"amqp://guest:guest@127.0.0.1:{self._port}/"
        config = folder / "rabbitmq.conf"
        config.write_text(f"listeners.tcp.1 = 127.0.0.1:{self._port}\ncluster_name = test\n")
        self._environment = os.environ | {
            "HOME": str(folder),
            "RABBITMQ_NODENAME": f"cuebx{uuid4().hex[:8]}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
            "RABBITMQ_PID_FILE": str(folder / "pid"),
            "RABBITMQ_CONF_ENV_FILE": "/dev/null",
            "RABBITMQ_CONFIG_FILE": str(config),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "none"),
        }

    def start(self) -> None:
        with (self._folder / "out").open("ab") as out:
            self._process = subprocess.Popen(  # noqa: S603 - as installed
                [str(SERVER)], env=self._environment, stdout=out, stderr=out, start_new_session=True
            )
        wait_for(self._answers)

    def kill(self) -> None:
        """As a power cut does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "out").read_text()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port), timeout=1) as probe:
            probe.sendall(b"AMQP\x00\x00\x09\x01")
            return bool(probe.recv(1))
        return False


@contextmanager
def rabbit_node(folder: Path) -> Iterator[RabbitNode]:
    node = RabbitNode(folder)
    node.start()
    try:
        yield node
    finally:
        node.kill()
