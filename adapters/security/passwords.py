"""Argon2id, with the parameters that OWASP's Password Storage Cheat Sheet gives first (19 MiB, 2 passes)."""

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerificationError

from application.identity.ports import Passwords
from domain.identity.errors import TooBusy

T = TypeVar("T")
THREADS = 2
NICE = 10
WAITING = 64
"""More than so many at once are told to come back: each takes a thread for some 20 ms."""


class Argon2Passwords(Passwords):
    """In threads of their own, so that the event loop and its other requests go on meanwhile."""

    def __init__(self, *, threads: int = THREADS, waiting: int = WAITING) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="passwords", initializer=_give_way)
        self._free = waiting
        self._nobody = self._hasher.hash("nobody has this password")
        words = files("adapters.security").joinpath("common_passwords.txt").read_text()
        self._common = frozenset(line for line in words.splitlines() if not line.startswith("#"))

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(_bytes(password)))

    async def verify(self, password: str, hashed: str | None) -> bool:
        def check() -> bool:
            try:
                self._hasher.verify(hashed or self._nobody, _bytes(password))
            except VerificationError:
                return False
            return hashed is not None

        return await self._run(check)

    def common(self, password: str) -> bool:
        return password in self._common

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        """Raises TooBusy."""
        if self._free == 0:
            raise TooBusy
        self._free -= 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._free += 1


def _give_way() -> None:
    """Where the cores are busy, this thread waits for those that serve requests. On Linux a thread's own."""
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")
