"""Moving windows shared by every process, in Redis."""

from collections.abc import Sequence
from hashlib import sha1
from importlib.resources import files
from math import ceil

from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from adapters.batching import Batcher
from application.usage.ports import RateLimiter
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited, Standing

TICKS = 240  # as in memory: what this costs in exactness is a wait of at most a 240th of the window

_SCRIPT = files("adapters.redis").joinpath("limits.lua").read_text()
_SHA = sha1(_SCRIPT.encode(), usedforsecurity=False).hexdigest()

Answer = list[int]
Command = tuple[str | int, ...]


class RedisRateLimiter(RateLimiter):
    """All of a call's limits in one step of a script, by Redis's own clock.

    Calls that come while others are on their way share the next round trip. Raises redis's RedisError, and
    OSError, where Redis does not answer.
    """

    def __init__(self, client: Redis) -> None:
        self._client = client
        self._batches: Batcher[Command, Answer] = Batcher(self._serve, limit=64)

    async def hit(
        self, workspace: WorkspaceId, product: str, limits: Sequence[Limit]
    ) -> tuple[Standing, ...]:
        if not limits:
            return ()
        over, *figures = await self._batches.submit(_command(workspace, product, limits))
        standings = tuple(
            Standing(limit, max(0, limit.calls - used), ceil(wait / 1000))
            for limit, used, wait in zip(limits, figures[::2], figures[1::2], strict=True)
        )
        if over:
            raise RateLimited.of(standings)
        return standings

    async def _serve(self, batch: Sequence[Command]) -> Sequence[Answer | Exception]:
        try:
            answers = await self._send(batch)
            if any(isinstance(answer, NoScriptError) for answer in answers):  # Redis was started anew
                await self._client.script_load(_SCRIPT)
                unknown = [at for at, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
                again = await self._send([batch[at] for at in unknown])
                for at, answer in zip(unknown, again, strict=True):
                    answers[at] = answer
        except (RedisError, OSError) as error:  # everybody's answer, so that it is not tried for each alone
            return [error] * len(batch)
        return answers

    async def _send(self, batch: Sequence[Command]) -> list[Answer | Exception]:
        pipeline = self._client.pipeline(transaction=False)
        for command in batch:
            pipeline.execute_command(*command)
        return await pipeline.execute(raise_on_error=False)


def _command(workspace: WorkspaceId, product: str, limits: Sequence[Limit]) -> Command:
    """The braces are a hash tag: in a cluster all keys of a workspace lie on one node."""
    tenant = f"cuebx:limit:{{{workspace.hex}}}:{product}"
    keys = [f"{tenant}:{each.owner}{each.name}:{each.seconds}" for each in limits]
    bounds = [figure for each in limits for figure in (each.calls, each.seconds)]
    return ("EVALSHA", _SHA, len(keys), *keys, *bounds, TICKS)
