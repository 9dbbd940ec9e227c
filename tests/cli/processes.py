"""The command line as it is used: in a process of its own, or in this one, where its lines are counted."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import httpx
from click.testing import CliRunner, Result

from entrypoints.cli.main import main
from tests.http.logs import Stream, logging_to

CUEBX = Path(sys.executable).with_name("cuebx")


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health/live", timeout=5).is_success
    except httpx.HTTPError:
        return False


def processes(word: str) -> list[int]:
    """Those that have ``word`` in their command line."""
    found = []
    for each in Path("/proc").glob("[0-9]*"):
        try:
            command = (each / "cmdline").read_bytes()
        except OSError:
            continue
        if word.encode() in command and int(each.name) != os.getpid():
            found.append(int(each.name))
    return found


def environment(folder: Path, given: Mapping[str, str]) -> dict[str, str]:
    """Without our settings, and with compiled modules kept from one process to the next."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("CUEBX_", "PYTHON"))}
    return plain | {"PYTHONPYCACHEPREFIX": str(folder), **given}


@contextmanager
def started(*arguments: str, folder: Path, **given: str) -> Iterator[subprocess.Popen[bytes]]:
    """Ended with the block, however that ends. ``out`` and ``err`` in ``folder`` get what it says."""
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        process = subprocess.Popen(  # noqa: S603 - our own command
            [CUEBX, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=folder,
            env=environment(folder.parent / "compiled", given),
        )
    with process:
        try:
            yield process
        finally:
            process.kill()


def finished(*arguments: str, folder: Path, **given: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - our own command
        [CUEBX, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=environment(folder.parent / "compiled", given),
    )


def command(*arguments: str) -> Result:
    """In this process."""
    with logging_to(Stream()):
        return CliRunner().invoke(main, arguments)


def served(*arguments: str, during: Callable[[], None]) -> Result:
    """A server in this process and thread, that is told to stop when ``during`` returns in another."""
    failures: list[BaseException] = []
    over = threading.Event()

    def watch() -> None:
        try:
            during()
        except BaseException as error:  # noqa: BLE001 - it is raised where somebody sees it
            failures.append(error)
        if not over.is_set():
            os.kill(os.getpid(), signal.SIGTERM)

    usual = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        result = command(*arguments)
    finally:
        over.set()
        watcher.join()
        for each, handler in usual.items():
            signal.signal(each, handler)
    if failures:
        raise failures[0]
    return result
