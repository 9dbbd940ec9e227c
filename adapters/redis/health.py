from redis.asyncio import Redis
from redis.exceptions import RedisError

from application.health import Dependency, DependencyAway


class RedisHealth(Dependency):
    name = "redis"
    vital = False

    def __init__(self, client: Redis) -> None:
        self._client = client

    async def check(self) -> str:
        try:
            await self._client.ping()
        except (RedisError, OSError) as error:
            raise DependencyAway(
                f"cannot be asked: {type(error).__name__}; each process counts rate limits for itself"
            ) from error
        return "answers"
