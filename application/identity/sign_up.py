"""An account of one's own, once the code that came by mail is typed.

No answer tells whether an address has an account, and none takes longer for that: the password is hashed and
a mail is sent either way.
"""

from dataclasses import dataclass
from typing import Protocol

from application.identity.codes import SendCode, TryCode
from application.identity.ports import IdentityTx, Passwords, Throttle
from application.notifications.post import PostMail
from application.ports import Clock, NewId, UnitOfWork
from application.workspaces.personal import OpenPersonalWorkspace, PersonalTx
from domain.email import Email
from domain.identity.code import CodeRefused, Purpose
from domain.identity.mail import Mail
from domain.identity.password import check_password, normal
from domain.identity.user import User
from domain.ids import UserId
from domain.workspaces.workspace import check_name


class SignUpTx(IdentityTx, PersonalTx, Protocol):
    """Both: the address is confirmed with the workspace that comes with it, or neither is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignUp:
    uow: UnitOfWork[IdentityTx]
    passwords: Passwords
    throttle: Throttle
    send_code: SendCode
    post: PostMail
    clock: Clock
    new_id: NewId

    async def __call__(self, email: Email, password: str, name: str, *, address: str) -> None:
        """Raises PasswordRefused, NameRefused, TooManyAttempts."""
        name = check_name(name)
        text = check_password(password, email, common=self.passwords.common)
        await self.throttle.hit("mail", email.key)
        await self.throttle.hit("sign_up", address)
        hashed = await self.passwords.hash(text)
        async with self.uow() as tx:
            there = await tx.users.by_email(email.key)
            if there is None:
                user = User(
                    id=UserId(self.new_id()),
                    email=email,
                    name=name,
                    password=hashed,
                    created_at=self.clock.now(),
                )
                if not await tx.users.add(user):
                    there = await tx.users.by_email(email.key)  # somebody was faster
            if there is not None:
                user = there
                if there.confirmed_at is None:  # nobody has shown that it is theirs
                    user = there.with_password(hashed)
                    await tx.users.save(user)
            if user.confirmed_at is None:
                await self.send_code(tx, user, Purpose.CONFIRM)
            else:
                await self.post(tx, Mail(to=user.email.text, template="already_registered", facts={}))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResendCode:
    uow: UnitOfWork[IdentityTx]
    throttle: Throttle
    send_code: SendCode

    async def __call__(self, email: Email, *, address: str) -> None:
        """Raises TooManyAttempts."""
        await self.throttle.hit("mail", email.key)
        await self.throttle.hit("sign_up", address)
        async with self.uow() as tx:
            user = await tx.users.by_email(email.key, lock=False)
            if user is not None and user.confirmed_at is None:
                await self.send_code(tx, user, Purpose.CONFIRM)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmEmail:
    """With it comes a personal workspace, in the same transaction.

    Asks for the password, too, so that the owner of a mailbox never confirms what somebody else signed up.
    """

    uow: UnitOfWork[SignUpTx]
    passwords: Passwords
    throttle: Throttle
    try_code: TryCode
    open_workspace: OpenPersonalWorkspace
    clock: Clock

    async def __call__(self, email: Email, code: str, password: str, *, address: str) -> User:
        """Raises CodeRefused, TooManyAttempts."""
        await self.throttle.hit("code", email.key)
        await self.throttle.hit("code_from", address)
        plan = await self.open_workspace.plan()
        async with self.uow() as tx:
            user = await tx.users.by_email(email.key, lock=False)
        known = None if user is None else user.password
        if not await self.passwords.verify(normal(password), known):
            raise CodeRefused
        async with self.uow() as tx:
            user = await tx.users.by_email(email.key)
            same = user is not None and user.password == known
            right = same and await self.try_code(tx, user, Purpose.CONFIRM, code)
            if user is not None and right:
                user = user.confirm(self.clock.now())
                await tx.users.save(user)
                await self.open_workspace(tx, user, plan)
        if user is None or not right:
            raise CodeRefused
        return user
