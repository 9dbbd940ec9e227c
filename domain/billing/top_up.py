"""Packs that are bought without anybody's asking, because an account runs low."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Self
from uuid import UUID

from domain.errors import Missing
from domain.ids import AccountId

AT_WORK = timedelta(minutes=2)
"""How long somebody who buys is left alone. Who died meanwhile is followed by another."""
AFTER_FAILURE = timedelta(hours=6)
"""How long nothing is bought once a card was declined."""


@dataclass(frozen=True, slots=True)
class AutoTopUp:
    """Below ``below`` microcredits a ``pack`` is bought, ``monthly`` times in 30 days at most."""

    below: int
    pack: str
    monthly: int


class TopUpState(StrEnum):
    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class TopUp:
    """``lookup_key`` is the price's. Everything done for it at Stripe is done under its ``id``, once."""

    id: UUID
    account: AccountId
    lookup_key: str
    state: TopUpState = TopUpState.PENDING
    invoice: str | None = None
    reason: str | None = None
    created_at: datetime
    ended_at: datetime | None = None

    def pay(self, invoice: str, now: datetime) -> Self:
        return replace(self, state=TopUpState.PAID, invoice=invoice, ended_at=now)

    def fail(self, reason: str, now: datetime) -> Self:
        return replace(self, state=TopUpState.FAILED, reason=reason, ended_at=now)


class AutoTopUpMissing(Missing):
    code: ClassVar[str] = "auto_top_up_missing"

    def __str__(self) -> str:
        return "nothing is bought automatically for this product"
