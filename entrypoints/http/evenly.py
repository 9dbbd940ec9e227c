"""Answers that take as long for an address that is known here as for one that is not."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
FLOOR = 0.25
"""Seconds: more than any of what is done takes, a mail and a slow hash included."""


async def evenly(
    work: Awaitable[T],
    *,
    monotonic: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
) -> T:
    """What ``work`` answers or raises, but not before FLOOR seconds."""
    until = monotonic() + FLOOR
    try:
        return await work
    finally:
        await sleep(max(0.0, until - monotonic()))
