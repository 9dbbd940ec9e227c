"""One connection for the process: made at the first need, and anew when it is lost."""

import asyncio
from dataclasses import dataclass

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aio_pika.exceptions import AMQPError

from adapters.rabbitmq.topology import Topology
from application.events.errors import BrokerUnavailable

CONNECT_SECONDS = 10.0
FAULTS = (AMQPError, OSError, TimeoutError, RuntimeError)
"""What the library raises when the broker is away. RuntimeError: of a connection that is being closed."""


@dataclass(frozen=True, slots=True)
class Link:
    connection: AbstractConnection
    publishing: AbstractChannel
    events: AbstractExchange

    @property
    def lost(self) -> bool:
        return self.connection.is_closed or self.publishing.is_closed


class Links:
    def __init__(self, url: str, topology: Topology) -> None:
        self._url = url
        self._topology = topology
        self._link: Link | None = None
        self._turn = asyncio.Lock()

    async def get(self) -> Link:
        """Raises BrokerUnavailable, BrokerClash."""
        async with self._turn:
            if self._link is None or self._link.lost:
                await self._drop()
                self._link = await self._open()
            return self._link

    async def close(self) -> None:
        async with self._turn:
            await self._drop()

    async def _open(self) -> Link:
        try:
            connection = await aio_pika.connect(self._url, timeout=CONNECT_SECONDS, heartbeat=15)
        except FAULTS as error:
            raise BrokerUnavailable(type(error).__name__) from error
        try:
            await self._topology.declare(connection)
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            return Link(connection, channel, await channel.get_exchange(self._topology.events, ensure=False))
        except FAULTS as error:
            await connection.close()
            raise BrokerUnavailable(type(error).__name__) from error
        except BaseException:
            await connection.close()
            raise

    async def _drop(self) -> None:
        link, self._link = self._link, None
        if link is not None and not link.connection.is_closed:
            await link.connection.close()
