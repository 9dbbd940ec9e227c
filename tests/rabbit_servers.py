"""RabbitMQ, where one is reachable. Each test has names of its own there, gone afterwards."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit
from uuid import uuid4

import aio_pika
import pytest

RABBITMQ_URL = os.environ.get("CUEBX_TEST_RABBITMQ_URL", "amqp://guest:guest@127.0.0.1:5672/")
REQUIRED = "rabbitmq" in os.environ.get("CUEBX_TEST_REQUIRED", "")
"""Without it, tests of it are left out where there is none."""


def rabbitmq_is_reachable() -> bool:
    url = urlsplit(RABBITMQ_URL)
    try:
        socket.create_connection((url.hostname or "127.0.0.1", url.port or 5672), timeout=0.5).close()
    except OSError:
        if REQUIRED:
            raise
        return False
    return True


needs_rabbitmq = pytest.mark.skipif(not rabbitmq_is_reachable(), reason="no RabbitMQ is reachable")


def new_prefix() -> str:
    return f"test-{uuid4().hex[:12]}"


@asynccontextmanager
async def named_apart(prefix: str, *queues: str) -> AsyncIterator[None]:
    """Deletes what begins with ``prefix`` when the block ends: the exchange, and ``queues``."""
    try:
        yield
    finally:
        async with await aio_pika.connect(RABBITMQ_URL) as connection:
            channel = await connection.channel()
            for queue in queues:
                await channel.queue_delete(queue)
            await channel.exchange_delete(f"{prefix}.events")
