from dataclasses import dataclass

from application.actor import Person
from application.identity.codes import SendCode, TryCode
from application.identity.ports import IdentityTx, Passwords, Throttle
from application.notifications.post import PostMail
from application.ports import Clock, UnitOfWork
from domain.email import Email
from domain.identity.code import CodeRefused, Purpose
from domain.identity.mail import Mail
from domain.identity.password import PasswordRefused, check_password, normal
from domain.identity.user import User
from domain.ids import SessionId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestReset:
    uow: UnitOfWork[IdentityTx]
    throttle: Throttle
    send_code: SendCode

    async def __call__(self, email: Email, *, address: str) -> None:
        """Raises TooManyAttempts."""
        await self.throttle.hit("mail", email.key)
        await self.throttle.hit("sign_up", address)
        async with self.uow() as tx:
            user = await tx.users.by_email(email.key, lock=False)
            if user is not None and user.confirmed_at is not None:
                await self.send_code(tx, user, Purpose.RESET)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetPassword:
    """Whoever was signed in is so no longer."""

    uow: UnitOfWork[IdentityTx]
    passwords: Passwords
    throttle: Throttle
    try_code: TryCode
    post: PostMail
    clock: Clock

    async def __call__(self, email: Email, code: str, password: str, *, address: str) -> None:
        """Raises PasswordRefused, CodeRefused, TooManyAttempts."""
        text = check_password(password, email, common=self.passwords.common)
        await self.throttle.hit("code", email.key)
        await self.throttle.hit("code_from", address)
        hashed = await self.passwords.hash(text)
        async with self.uow() as tx:
            user = await tx.users.by_email(email.key)
            right = await self.try_code(tx, user, Purpose.RESET, code)
            if user is not None and right:
                await tx.users.save(user.with_password(hashed))
                await end_sessions(tx, user.id, self.clock)
                await self.post(tx, _changed(user))
        if not right:
            raise CodeRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePassword:
    """Other sessions end."""

    uow: UnitOfWork[IdentityTx]
    passwords: Passwords
    throttle: Throttle
    post: PostMail
    clock: Clock

    async def __call__(self, person: Person, current: str, new: str) -> None:
        """Raises PasswordRefused, TooManyAttempts."""
        await self.throttle.hit("sign_in", str(person.user))
        async with self.uow() as tx:
            user = await tx.users.get(person.user, lock=False)
        text = check_password(new, user.email, common=self.passwords.common)
        if not await self.passwords.verify(normal(current), user.password):
            raise PasswordRefused("the current password is wrong")
        hashed = await self.passwords.hash(text)
        async with self.uow() as tx:
            user = await tx.users.get(person.user)
            await tx.users.save(user.with_password(hashed))
            await end_sessions(tx, person.user, self.clock, but=person.session)
            await self.post(tx, _changed(user))


def _changed(user: User) -> Mail:
    return Mail(to=user.email.text, template="password_changed", facts={"name": user.name})


async def end_sessions(tx: IdentityTx, user: UserId, clock: Clock, *, but: SessionId | None = None) -> None:
    now = clock.now()
    for each in await tx.sessions.of(user):
        if each.id != but:
            await tx.sessions.save(each.end(now))
