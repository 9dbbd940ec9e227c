"""Serves an ASGI application on one socket, in this process, until it is told to stop."""

import asyncio
import logging
import signal
import socket
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar

import granian.net
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from granian.server.embed import Server

from domain.errors import Unavailable
from entrypoints.logging import GRANIAN

_BACKLOG = 2048
_CANCEL_SECONDS = 2.0
_logger = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Any, Any, Any], Awaitable[None]]


@dataclass(eq=False)
class CannotListen(Unavailable):
    code: ClassVar[str] = "cannot_listen"
    host: str
    port: int
    reason: str

    def __str__(self) -> str:
        return f"cannot serve on {self.host}:{self.port}: {self.reason}; choose another with --port"


def listen(host: str, port: int) -> socket.socket:
    """Takes the port, so that nobody else can, before anything else is started. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        reason, _, _ = (error.strerror or str(error)).partition(" (while attempting")
        raise CannotListen(host=host, port=port, reason=reason.lower()) from error


async def serve(
    application: Application, listener: socket.socket, *, stop: asyncio.Event, grace: float
) -> None:
    """Serves until ``stop``; then takes no connections, and gives what is being answered ``grace`` seconds.

    What is not done by then is cancelled. When this returns, nothing of the application runs any more.
    Takes ``listener`` over, and closes it.
    """
    requests = _Requests(application)
    server = _Server(requests, listener)
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((serving, stopping), return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            server.end()
            await asyncio.wait((serving,), timeout=grace)
        if not serving.done():
            await requests.cancel()
            await asyncio.wait((serving,), timeout=_CANCEL_SECONDS)
            serving.cancel()
        with suppress(asyncio.CancelledError):
            await serving  # raises what ended it, where nobody asked it to end
    finally:
        stopping.cancel()


def stop_on_signals(stop: asyncio.Event) -> None:
    """Ctrl-C and SIGTERM ask for an orderly end; asked twice, it is the same end."""
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(each, stop.set)


class _Requests:
    """The application, and the tasks in which it is answering."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._running: set[asyncio.Task[Any]] = set()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        if scope["type"] != "http" or task is None:  # the lifespan ends by itself
            await self._application(scope, receive, send)
            return
        self._running.add(task)
        try:
            await self._application(scope, receive, send)
        finally:
            self._running.discard(task)

    async def cancel(self) -> None:
        running = tuple(self._running)
        if not running:
            return
        _logger.warning("%d requests were not answered in time, and are cancelled", len(running))
        for task in running:
            task.cancel()
        await asyncio.wait(running, timeout=_CANCEL_SECONDS)


class _Server(Server):
    """Granian in this process and on this loop, on a socket that is open already."""

    def __init__(self, application: Application, listener: socket.socket) -> None:
        self._listener = listener
        super().__init__(
            application,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=_BACKLOG,
            backpressure=_BACKLOG,
            log_level=LogLevels.error,
            log_dictconfig=GRANIAN | {"incremental": True},
        )

    def _init_shared_socket(self) -> None:
        self._listener.settimeout(0)
        untyped: Any = granian.net
        holder = untyped.SocketHolder(self._listener.detach(), uds=False, backlog=_BACKLOG)
        self.__dict__.update(_ssp=None, _shd=holder)

    def end(self) -> None:
        untyped: Any = super()
        untyped.stop()
