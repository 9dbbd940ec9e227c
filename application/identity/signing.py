"""The keys of access tokens: one signs, and each verifies until the last token that it signed is over."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from application.ports import Clock

TOKEN_LASTS = timedelta(minutes=10)
AHEAD = timedelta(minutes=2)
"""A new key is published so long before it signs: longer than any process may remember the keys."""
REMEMBERED = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKey:
    """``public`` is the raw Ed25519 key; ``sealed_private`` only the process's secret opens."""

    kid: str
    public: bytes
    sealed_private: bytes
    created_at: datetime
    signs_from: datetime
    verifies_until: datetime | None = None

    def verifies(self, now: datetime) -> bool:
        return self.verifies_until is None or now < self.verifies_until


class SigningKeys(Protocol):
    """All processes see the same ones."""

    async def all(self) -> Sequence[SigningKey]:
        """The oldest first."""

    async def begin(self, make: Callable[[], SigningKey]) -> Sequence[SigningKey]:
        """All of them, with a new one where there was none: of processes that ask at once, one makes it."""

    async def rotate(self, new: SigningKey, ended: Sequence[SigningKey]) -> None:
        """``new`` is added, and of ``ended`` it is kept until when they verify. All or nothing."""


def signer(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """The latest that signs already."""
    ready = [each for each in keys if each.signs_from <= now and each.verifies(now)]
    return max(ready, key=lambda each: each.signs_from, default=None)


class MakeSigningKey(Protocol):
    def __call__(self, *, signs_from: datetime) -> SigningKey: ...


@dataclass(frozen=True, slots=True)
class RotateSigningKey:
    """Nobody has to sign in again: what the old key signed stays valid for as long as it would.

    Where none signs yet, the new one does at once.
    """

    keys: SigningKeys
    make: MakeSigningKey
    clock: Clock

    async def __call__(self) -> SigningKey:
        now = self.clock.now()
        there = await self.keys.all()
        ahead = timedelta(0) if signer(there, now) is None else AHEAD
        new = self.make(signs_from=now + ahead)
        until = new.signs_from + REMEMBERED + TOKEN_LASTS
        old = [each for each in there if each.verifies_until is None]
        await self.keys.rotate(new, [replace(each, verifies_until=until) for each in old])
        return new
