"""Several server processes behind one socket: started, watched, replaced, stopped."""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Sequence

_logger = logging.getLogger(__name__)

_LONGEST_PAUSE = 30.0
_STEADY = 60.0  # seconds that a process must have run for its end to count as the first
_EXTRA = 15.0  # seconds to close the services in, after the requests' own time


async def supervise(
    arguments: Sequence[str], listener: socket.socket, *, workers: int, stop: asyncio.Event, grace: float
) -> None:
    """Runs ``cuebx ARGUMENTS --socket N`` ``workers`` times, until ``stop``.

    The socket stays open here, so that while a process is replaced its connections wait instead of being
    refused. Each process holds the reading end of a pipe as its standard input: when this process dies, even
    by SIGKILL, they see its end and stop.
    """
    listener.set_inheritable(True)
    command = [sys.executable, "-m", "entrypoints.cli.main", *arguments, "--socket", str(listener.fileno())]
    keepers = [
        asyncio.create_task(_keep(number, command, listener.fileno(), stop=stop, grace=grace))
        for number in range(workers)
    ]
    try:
        await asyncio.gather(*keepers)
    finally:
        listener.close()


async def _keep(
    number: int, command: Sequence[str], descriptor: int, *, stop: asyncio.Event, grace: float
) -> None:
    failures = 0
    while not stop.is_set():
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            *command, "--worker", str(number), stdin=asyncio.subprocess.PIPE, pass_fds=(descriptor,)
        )
        if not await _ended(process, stop):
            await _end(process, grace)
            return
        failures = 1 if time.monotonic() - started > _STEADY else failures + 1
        pause = min(_LONGEST_PAUSE, 0.1 * 2**failures)
        _logger.error(
            "server process %d (pid %d) ended with status %s, and is replaced in %.1f s",
            number, process.pid, process.returncode, pause,
        )  # fmt: skip
        await _passed(stop, pause)


async def _ended(process: asyncio.subprocess.Process, stop: asyncio.Event) -> bool:
    """Whether the process came to its end before it was time to stop."""
    waits = [asyncio.create_task(process.wait()), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for each in waits:
        each.cancel()
    return process.returncode is not None and not stop.is_set()


async def _end(process: asyncio.subprocess.Process, grace: float) -> None:
    if process.returncode is None:
        process.terminate()
    try:
        await asyncio.wait_for(process.wait(), grace + _EXTRA)
    except TimeoutError:
        process.kill()
        await process.wait()


async def _passed(stop: asyncio.Event, seconds: float) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
