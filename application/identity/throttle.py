"""How often something may be tried that can be guessed, or that sends mail."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from application.identity.ports import Throttle
from application.usage.ports import RateLimiter
from domain.identity.errors import TooManyAttempts
from domain.ids import WorkspaceId
from domain.usage.limits import Limit, RateLimited

MINUTES, HOUR = 15 * 60, 60 * 60
LIMITS: Mapping[str, Limit] = {
    "sign_up": Limit("address", 30, HOUR),
    "mail": Limit("mailbox", 5, HOUR),
    "code": Limit("mailbox", 15, HOUR),
    "code_from": Limit("address", 60, HOUR),
    "second_factor": Limit("account", 10, MINUTES),
    "workspace": Limit("account", 20, 24 * HOUR),
    "invitation": Limit("workspace", 100, HOUR),
    "invitation_to": Limit("mailbox", 5, HOUR),
    "sign_in": Limit("account", 10, MINUTES),
    "sign_in_account": Limit("account", 100, MINUTES),
    "sign_in_from": Limit("address", 100, MINUTES),
}


@dataclass(frozen=True, slots=True)
class LimitedTries(Throttle):
    """Counted where the limits of calls are. Whoever is counted is kept as a digest."""

    limiter: RateLimiter

    async def hit(self, what: str, subject: str) -> None:
        counted = WorkspaceId(UUID(bytes=sha256(subject.encode()).digest()[:16]))
        try:
            await self.limiter.hit(counted, what, (LIMITS[what],))
        except RateLimited as refusal:
            raise TooManyAttempts(refusal.retry_after) from None
