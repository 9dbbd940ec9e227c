"""A Stripe for `cuebx dev`, in a process of its own, where there is no key for the real one."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import entrypoints

MODULE = "tests.fakes.stripe_server"
STATE = "stripe.json"
"""The file that keeps what it knows, in the folder of `cuebx dev`."""
ROOT = Path(entrypoints.__path__[0]).parent
STOP_SECONDS = 5.0


def is_at_hand() -> bool:
    """A checkout has it; what was installed from a wheel does not."""
    return (ROOT / (MODULE.replace(".", "/") + ".py")).exists()


@asynccontextmanager
async def stand_in(file: Path, *, port: int, webhook_url: str) -> AsyncIterator[str]:
    """Its address, for the block. ``file`` keeps what it knows; ``port`` is used if it is free.

    It ends with this process, however that ends: it reads from a pipe that is closed then.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", MODULE,
        "--port", str(port), "--webhook-url", webhook_url,
        "--state", str(file),
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None  # noqa: S101 - as was asked for
    assert process.stdout is not None  # noqa: S101 - as above
    try:
        url: str = json.loads(await process.stdout.readline())["url"]
        yield url
    finally:
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
