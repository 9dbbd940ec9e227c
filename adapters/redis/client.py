"""The one client of a process."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff


def make_client(url: str, *, timeout: float = 0.25) -> Redis:
    """``timeout`` is seconds, for connecting and for each answer. Opens nothing yet.

    Short, and without retries: it stands in the way of a customer's call, and there is something to fall
    back on.
    """
    return Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        health_check_interval=30,
        retry=Retry(NoBackoff(), retries=0),
        client_name="cuebx",
    )
