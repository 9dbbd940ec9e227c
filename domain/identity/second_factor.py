"""A second factor: one-time passwords (RFC 6238), and recovery codes for who has lost the device."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import ClassVar, Self

from domain.errors import Conflict, Unauthenticated
from domain.ids import UserId

SECRET_BYTES = 20  # as long as the digest (RFC 4226, section 4, R6)
RECOVERY_CODES = 10
RECOVERY_BYTES = 15  # 120 bits: a plain hash will do for what nobody can guess (OWASP ASVS 5.0, 6.5.2)
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base32: nothing that looks like something else
_GROUP = 6


class SecondFactorNeeded(Unauthenticated):
    """Told only after the right password."""

    code: ClassVar[str] = "second_factor_needed"

    def __str__(self) -> str:
        return "the password is right: send also the code of the second factor, or a recovery code"


class SecondFactorRefused(Unauthenticated):
    """A wrong code, one that is too old, or one that was used."""

    code: ClassVar[str] = "second_factor_refused"

    def __str__(self) -> str:
        return "the code is wrong, too old, or used: wait for the next one"


class SecondFactorOn(Conflict):
    code: ClassVar[str] = "second_factor_on"

    def __str__(self) -> str:
        return "a second factor is on already: turn it off first"


class SecondFactorOff(Conflict):
    code: ClassVar[str] = "second_factor_off"

    def __str__(self) -> str:
        return "there is no second factor: enroll one first"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """``sealed`` is the shared secret. It is on once a code has shown that the device has it, too."""

    user: UserId
    sealed: bytes
    enabled_at: datetime | None = None
    last_step: int | None = None

    @property
    def on(self) -> bool:
        return self.enabled_at is not None

    def enable(self, step: int | None, now: datetime) -> Self:
        """Raises SecondFactorOn, SecondFactorRefused."""
        if self.on:
            raise SecondFactorOn
        return replace(self.accept(step), enabled_at=now)

    def accept(self, step: int | None) -> Self:
        """By the time step whose code was given; none where the code is none. Each step counts once.

        Raises SecondFactorRefused. RFC 6238, section 5.2.
        """
        if step is None or (self.last_step is not None and step <= self.last_step):
            raise SecondFactorRefused
        return replace(self, last_step=step)


def recovery_text(secret: bytes) -> str:
    """Of 15 random bytes: four groups of six."""
    number = int.from_bytes(secret)
    digits = [_ALPHABET[number >> shift & 31] for shift in range(len(secret) * 8 - 5, -1, -5)]
    return "-".join("".join(digits[at : at + _GROUP]) for at in range(0, len(digits), _GROUP))


def recovery_digest(user: UserId, text: str) -> bytes:
    """However it was typed: in capitals, without hyphens, with an O for a 0."""
    plain = re.sub(r"[\s-]", "", text.lower()).translate(str.maketrans("oil", "011"))
    return sha256(user.bytes + plain.encode()).digest()
