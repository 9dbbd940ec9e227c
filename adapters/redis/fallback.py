"""What limits do while Redis is away."""

import logging
import time
from collections.abc import Callable, Sequence

from redis.exceptions import RedisError

from application.usage.ports import RateLimiter
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited, Standing

logger = logging.getLogger(__name__)


class FallbackLimiter(RateLimiter):
    """Counts in ``shared``; while that cannot be reached, in ``own``, which knows only this process's calls.

    ``shared`` is tried again by one call every ``pause`` seconds, the others do not wait for it. ``now`` is a
    monotonic clock. Going over to ``own`` and coming back are each said once in the log.
    """

    def __init__(
        self,
        shared: RateLimiter,
        own: RateLimiter,
        *,
        pause: float = 2.0,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._own = own
        self._pause = pause
        self._now = now
        self._away = False
        self._try_at = 0.0

    @property
    def away(self) -> bool:
        """Whether calls are counted by this process for itself."""
        return self._away

    async def hit(
        self, workspace: WorkspaceId, product: str, limits: Sequence[Limit]
    ) -> tuple[Standing, ...]:
        if not limits:
            return ()
        if self._away:
            if self._now() < self._try_at:
                return await self._own.hit(workspace, product, limits)
            self._try_at = self._now() + self._pause
        try:
            standings = await self._shared.hit(workspace, product, limits)
        except (RedisError, OSError) as error:
            self._leave(error)
            return await self._own.hit(workspace, product, limits)
        except RateLimited:
            self._come_back()
            raise
        self._come_back()
        return standings

    def _leave(self, error: Exception) -> None:
        self._try_at = self._now() + self._pause
        if not self._away:
            self._away = True
            logger.error(
                "Redis is away (%s); each process counts rate limits for itself", type(error).__name__
            )

    def _come_back(self) -> None:
        if self._away:
            self._away = False
            logger.warning("Redis is back; rate limits are shared again")
