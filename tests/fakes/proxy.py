"""A network that loses connections when it is told to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import sqlalchemy as sa

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class LossyProxy:
    """Stands before a PostgreSQL server, on TCP. ``url`` is the database through it."""

    def __init__(self, url: str) -> None:
        self._behind = sa.make_url(url)
        self._writers: set[asyncio.StreamWriter] = set()
        self.url = url
        self.losing: bytes | None = None
        """The next answer that has this in it is lost, with its connection."""
        self.lost = 0
        self.away = False
        """Whether new connections are refused."""
        self.refused = 0

    async def serve(self, client: asyncio.StreamReader, answer: asyncio.StreamWriter) -> None:
        if self.away:
            self.refused += 1
            answer.transport.abort()
            return
        server, ask = await self._connect()
        writers = {answer, ask}
        self._writers |= writers
        try:
            await asyncio.gather(self._pass(client, ask), self._pass_until_lost(server, answer))
        except OSError:
            pass
        finally:
            self._writers -= writers
            for writer in writers:
                writer.transport.abort()

    def cut(self) -> None:
        """Every connection, at once."""
        for writer in self._writers:
            writer.transport.abort()

    def listening_at(self, port: int) -> None:
        through = self._behind.set(host="127.0.0.1", port=port).difference_update_query(["host", "port"])
        self.url = through.render_as_string(hide_password=False)

    async def _connect(self) -> Ends:
        folder, port = self._behind.query.get("host"), self._behind.query.get("port", 5432)
        if folder is not None:
            return await asyncio.open_unix_connection(f"{folder}/.s.PGSQL.{port}")
        return await asyncio.open_connection(self._behind.host, self._behind.port or 5432)

    async def _pass(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        raise ConnectionResetError

    async def _pass_until_lost(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if self.losing is not None and self.losing in data:
                self.losing = None
                self.lost += 1
                break
            target.write(data)
            await target.drain()
        raise ConnectionResetError


@asynccontextmanager
async def lossy(url: str) -> AsyncIterator[LossyProxy]:
    proxy = LossyProxy(url)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    proxy.listening_at(server.sockets[0].getsockname()[1])
    try:
        yield proxy
    finally:
        server.close()
        proxy.cut()
        with suppress(OSError):
            await server.wait_closed()
