"""A second factor is enrolled, turned on by a code, asked for at sign-in, and turned off.

Whoever changes it shows the password again, so that a session left open is not enough.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from application.actor import Person
from application.identity.passwords import end_sessions
from application.identity.ports import IdentityTx, Passwords, Secrecy, Throttle
from application.keys.ports import Secrets
from application.notifications.post import PostMail
from application.ports import Clock, UnitOfWork
from domain.identity.mail import Mail
from domain.identity.password import PasswordRefused, normal
from domain.identity.second_factor import (
    RECOVERY_BYTES,
    RECOVERY_CODES,
    SECRET_BYTES,
    SecondFactor,
    SecondFactorNeeded,
    SecondFactorOff,
    SecondFactorOn,
    recovery_digest,
    recovery_text,
)
from domain.identity.user import User
from domain.ids import UserId


class OneTimePasswords(Protocol):
    """RFC 6238 with SHA-1, six digits and steps of 30 seconds: what every app knows."""

    def text(self, secret: bytes) -> str:
        """The secret as people type it: base32 (RFC 4648)."""

    def uri(self, secret: bytes, account: str) -> str:
        """For a QR code: ``otpauth://totp/...``."""

    def step(self, secret: bytes, code: str, at: datetime) -> int | None:
        """Which step's code it is: this one's, or the one's before or after it. None: none of these."""


class SecondFactors(Protocol):
    async def get(self, user: UserId, *, lock: bool = True) -> SecondFactor | None:
        """Locked until the transaction ends, if it is to be."""

    async def save(self, factor: SecondFactor) -> None: ...

    async def remove(self, user: UserId) -> None:
        """With its recovery codes."""

    async def put_codes(self, user: UserId, digests: Sequence[bytes]) -> None:
        """In place of those that there were."""

    async def use_code(self, user: UserId, digest: bytes, at: datetime) -> bool:
        """Whether there was such a code that was not used."""

    async def codes_left(self, user: UserId) -> int: ...


class SecondFactorTx(IdentityTx, Protocol):
    @property
    def second_factors(self) -> SecondFactors: ...


@dataclass(frozen=True, slots=True)
class Enrolled:
    """Shown now, to be put into the app; ``uri`` holds the secret, too."""

    secret: str
    uri: str

    def __repr__(self) -> str:
        return "Enrolled(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskSecondFactor:
    """In the caller's transaction, which has to end well for the code to be used up."""

    one_time: OneTimePasswords
    secrecy: Secrecy
    clock: Clock

    async def __call__(self, tx: SecondFactorTx, user: UserId, code: str | None) -> bool:
        """Whether it was a recovery code. Where there is no second factor, nothing is asked.

        Raises SecondFactorNeeded, SecondFactorRefused.
        """
        factor = await tx.second_factors.get(user)
        if factor is None or not factor.on:
            return False
        if code is None:
            raise SecondFactorNeeded
        now = self.clock.now()
        if await tx.second_factors.use_code(user, recovery_digest(user, code), now):
            return True
        await tx.second_factors.save(factor.accept(self.step(factor, code)))
        return False

    def step(self, factor: SecondFactor, code: str) -> int | None:
        secret = self.secrecy.open(_purpose(factor.user), factor.sealed)
        return self.one_time.step(secret, code, self.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowPassword:
    """Once more, by somebody who has signed in."""

    uow: UnitOfWork[IdentityTx]
    passwords: Passwords
    throttle: Throttle

    async def __call__(self, person: Person, password: str) -> User:
        """Raises PasswordRefused, TooManyAttempts, UserMissing."""
        await self.throttle.hit("sign_in", str(person.user))
        async with self.uow() as tx:
            user = await tx.users.get(person.user, lock=False)
        if not await self.passwords.verify(normal(password), user.password):
            raise PasswordRefused("the password is wrong")
        return user


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrollSecondFactor:
    uow: UnitOfWork[SecondFactorTx]
    show_password: ShowPassword
    one_time: OneTimePasswords
    secrecy: Secrecy
    secrets: Secrets

    async def __call__(self, person: Person, password: str) -> Enrolled:
        """It is not on yet. Raises PasswordRefused, SecondFactorOn, TooManyAttempts."""
        user = await self.show_password(person, password)
        secret = self.secrets(SECRET_BYTES)
        async with self.uow() as tx:
            there = await tx.second_factors.get(user.id)
            if there is not None and there.on:
                raise SecondFactorOn
            sealed = self.secrecy.seal(_purpose(user.id), secret)
            await tx.second_factors.save(SecondFactor(user=user.id, sealed=sealed))
        return Enrolled(self.one_time.text(secret), self.one_time.uri(secret, user.email.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class EnableSecondFactor:
    """Other sessions end, as they began without it."""

    uow: UnitOfWork[SecondFactorTx]
    throttle: Throttle
    ask: AskSecondFactor
    post: PostMail
    secrets: Secrets
    clock: Clock

    async def __call__(self, person: Person, code: str) -> Sequence[str]:
        """The recovery codes, shown now and kept nowhere.

        Raises SecondFactorOff, SecondFactorOn, SecondFactorRefused, TooManyAttempts.
        """
        await self.throttle.hit("second_factor", str(person.user))
        codes = _recovery_codes(self.secrets)
        async with self.uow() as tx:
            user = await tx.users.get(person.user)
            factor = await tx.second_factors.get(user.id)
            if factor is None:
                raise SecondFactorOff
            await tx.second_factors.save(factor.enable(self.ask.step(factor, code), self.clock.now()))
            await tx.second_factors.put_codes(user.id, [recovery_digest(user.id, each) for each in codes])
            await end_sessions(tx, user.id, self.clock, but=person.session)
            await self.post(tx, Mail(to=user.email.text, template="second_factor_on", facts={}))
        return codes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSecondFactor:
    """Turned off, or with new recovery codes: by the password and a code, of the app or for recovery."""

    uow: UnitOfWork[SecondFactorTx]
    show_password: ShowPassword
    throttle: Throttle
    ask: AskSecondFactor
    post: PostMail
    secrets: Secrets

    async def disable(self, person: Person, password: str, code: str) -> None:
        """Raises PasswordRefused, SecondFactorOff, SecondFactorRefused, TooManyAttempts."""
        user = await self._shown(person, password)
        async with self.uow() as tx:
            await self._asked(tx, user, code)
            await tx.second_factors.remove(user.id)
            await self.post(tx, Mail(to=user.email.text, template="second_factor_off", facts={}))

    async def renew_codes(self, person: Person, password: str, code: str) -> Sequence[str]:
        """The new recovery codes; the old ones are void. Raises as ``disable`` does."""
        user = await self._shown(person, password)
        codes = _recovery_codes(self.secrets)
        async with self.uow() as tx:
            await self._asked(tx, user, code)
            await tx.second_factors.put_codes(user.id, [recovery_digest(user.id, each) for each in codes])
        return codes

    async def _shown(self, person: Person, password: str) -> User:
        await self.throttle.hit("second_factor", str(person.user))
        return await self.show_password(person, password)

    async def _asked(self, tx: SecondFactorTx, user: User, code: str) -> None:
        factor = await tx.second_factors.get(user.id)
        if factor is None or not factor.on:
            raise SecondFactorOff
        await self.ask(tx, user.id, code)


def _recovery_codes(secrets: Secrets) -> Sequence[str]:
    return [recovery_text(secrets(RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def _purpose(user: UserId) -> str:
    return f"second factor:{user}"
