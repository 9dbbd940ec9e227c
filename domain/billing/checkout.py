"""A page at Stripe on which somebody may pay."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.ids import AccountId

LASTS = timedelta(hours=23)
"""Stripe gives a page a day at most, from when it hears of it."""
LEAST = timedelta(minutes=30)
"""And no page that is over sooner."""


class Purpose(StrEnum):
    SUBSCRIBE = "subscribe"
    TOP_UP = "top_up"


class CheckoutState(StrEnum):
    OPEN = "open"
    COMPLETE = "complete"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """``wanted`` is how many of which lookup keys, and what else makes two of them the same.

    ``session`` is Stripe's id, None until it was heard of: whoever asks again under the same ``id`` gets the
    same one.
    """

    id: UUID
    account: AccountId
    purpose: Purpose
    wanted: Mapping[str, int]
    created_at: datetime
    expires_at: datetime
    trial_days: int = 0
    session: str | None = None
    url: str | None = None
    state: CheckoutState = CheckoutState.OPEN

    @classmethod
    def new(
        cls,
        id: UUID,
        account: AccountId,
        purpose: Purpose,
        wanted: Mapping[str, int],
        now: datetime,
        *,
        trial_days: int = 0,
    ) -> Self:
        return cls(
            id=id,
            account=account,
            purpose=purpose,
            wanted=wanted,
            trial_days=trial_days,
            created_at=now,
            expires_at=now.replace(microsecond=0) + LASTS,
        )

    def never_shown(self, now: datetime) -> bool:
        """Whether nobody saw it, and nobody will: Stripe makes none so late."""
        return self.session is None and self.expires_at - now < LEAST

    def good(self, now: datetime) -> bool:
        """Whether somebody can still pay on it. Once its time is over, somebody may have."""
        return now < self.expires_at and not self.never_shown(now)

    def opened(self, session: str, url: str | None) -> Self:
        return replace(self, session=session, url=url)

    def become(self, state: CheckoutState) -> Self:
        return replace(self, state=state)
