"""PostgreSQL from a wheel, for one process: started with it, stopped with it.

The wheel's own starter opens every folder above the data to everybody when root runs it, adds a user to the
system and waits in whole seconds, so only its programs are used (ADR 0007).
"""

import asyncio
import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Self, TextIO

from adapters.embedded.cluster import (
    ENVIRONMENT,
    PORT,
    SOCKET_PREFIX,
    SUPERUSER,
    Cluster,
    EmbeddedPostgresError,
    binaries,
    last_line,
)

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError", "binaries", "embedded_postgres"]

_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_READY_LINE = 7  # of postmaster.pid: pid, data, start, port, socket directory, address, memory, status


@asynccontextmanager
async def embedded_postgres(
    data: Path, *, durable: bool = True, anew: bool = False, meanwhile: Callable[[], object] = lambda: None
) -> AsyncIterator[str]:
    """The URL of a PostgreSQL 18 that runs for the block, its files under ``data``.

    ``durable=False`` survives no crash of the machine, and is fast: for tests. ``anew`` forgets what is
    there, whichever version made it. ``meanwhile`` is called in a thread while the programs of PostgreSQL
    work, if ``data`` can be used at all. The URL
    (``postgresql://postgres@/postgres?host=/...&port=5432``) suits asyncpg, psql and pgbench as it is.
    Raises EmbeddedPostgresError.
    """
    server = EmbeddedPostgres(data, durable=durable)
    try:
        server.claim(anew=anew)
        await asyncio.gather(asyncio.to_thread(server.prepare), asyncio.to_thread(meanwhile))
        server.launch()  # not in a thread: PostgreSQL ends with the thread that starts it
        await asyncio.to_thread(server.wait)
        yield server.url
    finally:
        await asyncio.to_thread(server.stop)


class EmbeddedPostgres:
    """One server process. Call ``start`` in a thread that stays (the main one), ``stop`` anywhere and again.

    Nobody else can use ``data`` meanwhile: a lock says so, and the kernel frees it with its holder. So
    whatever runs there when the lock is to be had was left by a killed process, and is stopped first.
    """

    def __init__(self, data: Path, *, durable: bool = True) -> None:
        self._cluster = Cluster(home=data.absolute(), durable=durable)
        self._socket = self._cluster.data
        self._process: subprocess.Popen[bytes] | None = None
        self._held = ExitStack()

    @property
    def url(self) -> str:
        return f"postgresql://{SUPERUSER}@/postgres?host={self._socket}&port={PORT}"

    @property
    def pid(self) -> int | None:
        """Of the running server."""
        return self._process.pid if self._process else None

    def start(self, *, anew: bool = False) -> str:
        try:
            self.claim(anew=anew)
            self.prepare()
            self.launch()
            self.wait()
        except BaseException:
            self.stop()
            raise
        return self.url

    def claim(self, *, anew: bool = False) -> None:
        """Takes the lock, if the directory is one that can be used, and ends what a killed process left."""
        cluster = self._cluster
        with _usable(cluster.home):
            cluster.home.mkdir(parents=True, exist_ok=True)
            cluster.check(anew=anew)
            self._note = self._lock()
            _end_leftover(cluster.data)
            if anew:
                cluster.discard()

    def prepare(self) -> None:
        """The data directory, which takes a second, and the settings."""
        cluster = self._cluster
        with _usable(cluster.home):
            cluster.create()
            self._socket = cluster.socket_directory()
            self._write_note()
            cluster.configure(self._socket)

    def launch(self) -> None:
        with _usable(self._cluster.home), self._cluster.log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the program is the wheel's
                self._cluster.command("postgres", "-D", str(self._cluster.data)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=ENVIRONMENT,
                start_new_session=True,  # Ctrl-C is for its starter, which stops it last
            )

    def wait(self) -> None:
        """Returns when it takes connections."""
        process, until = self._process, time.monotonic() + _START_SECONDS
        while process is not None and process.poll() is None and time.monotonic() < until:
            lines = _pid_file(self._cluster.data)
            if lines[:1] == [str(process.pid)] and lines[_READY_LINE:] == ["ready"]:
                return
            time.sleep(0.01)
        reason = last_line(self._cluster.log.read_text(errors="replace"))
        raise EmbeddedPostgresError(f"PostgreSQL did not start in {self._cluster.data}: {reason}")

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            _end(process.pid, lambda: process.poll() is not None)
        self._held.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _lock(self) -> TextIO:
        """The lock's file says who holds it, and from the second line on which temporary folder he made."""
        home = self._cluster.home
        note = self._held.enter_context((home / "postgres.lock").open("a+"))
        note.seek(0)
        holder, *left = note.read().splitlines() or ["unknown"]
        try:
            fcntl.flock(note, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise EmbeddedPostgresError(
                f"{home} is in use by process {holder}: stop it, or choose another data directory"
            ) from None
        for folder in left:
            if Path(folder).name.startswith(SOCKET_PREFIX):
                shutil.rmtree(folder, ignore_errors=True)
        return note

    def _write_note(self) -> None:
        lines = [str(os.getpid())]
        if self._socket != self._cluster.data:
            lines.append(str(self._socket))
            self._held.callback(shutil.rmtree, self._socket, ignore_errors=True)
        self._note.truncate(0)
        self._note.write("\n".join(lines) + "\n")
        self._note.flush()


@contextmanager
def _usable(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        where = error.filename or home
        raise EmbeddedPostgresError(
            f"no database can be kept in {home}: {where}: {error.strerror}"
        ) from error


def _pid_file(data: Path) -> list[str]:
    try:
        return [line.strip() for line in (data / "postmaster.pid").read_text().splitlines()]
    except FileNotFoundError:
        return []


def _end_leftover(data: Path) -> None:
    """Stops the server that a killed process left, and removes a note of one that is gone."""
    first = (_pid_file(data) or [""])[0]
    pid = int(first) if first.isdigit() else 0
    if _is_server(pid, data):
        _end(pid, lambda: not _is_server(pid, data))
    (data / "postmaster.pid").unlink(missing_ok=True)


def _is_server(pid: int, data: Path) -> bool:
    """Whether the process is this directory's server, not some other that was given its number since."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
    return os.fsencode(data) in command.split(b"\0")


def _end(pid: int, ended: Callable[[], bool]) -> None:
    """Fast, then immediate shutdown, then death: see "Shutting Down the Server" in PostgreSQL's manual."""
    for step in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.kill(pid, step)
        until = time.monotonic() + _STOP_SECONDS
        while time.monotonic() < until:
            if ended():
                return
            time.sleep(0.01)
