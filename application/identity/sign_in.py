"""Sessions begin with a password, go on by refresh tokens, and end."""

from dataclasses import dataclass
from hashlib import sha256

from application.actor import Person
from application.identity.ports import AccessTokens, IdentityTx, Passwords, Throttle
from application.identity.second_factor import AskSecondFactor, SecondFactorTx
from application.keys.ports import Secrets
from application.notifications.post import PostMail
from application.ports import Clock, NewId, UnitOfWork
from domain.email import Email
from domain.identity.mail import Mail
from domain.identity.password import normal
from domain.identity.session import TOKEN_BYTES, RefreshToken, RefreshTokenRefused, Session, SessionMissing
from domain.identity.user import SignInRefused, User
from domain.ids import SessionId, UserId

_PREFIX = "cbx_ref_"


@dataclass(frozen=True, slots=True)
class Tokens:
    """Both are shown now and kept nowhere."""

    user: UserId
    access: str
    refresh: str

    def __repr__(self) -> str:
        return f"Tokens({self.user})"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTokens:
    """For a session that goes on."""

    tokens: AccessTokens
    secrets: Secrets
    clock: Clock

    def refresh_token(self, session: Session) -> tuple[RefreshToken, str]:
        text = _PREFIX + self.secrets(TOKEN_BYTES).hex()
        token = RefreshToken(
            digest=_digest(text), user=session.user, session=session.id, created_at=self.clock.now()
        )
        return token, text

    async def __call__(self, session: Session, refresh: str) -> Tokens:
        access = await self.tokens.issue(session.user, session.id)
        return Tokens(session.user, access, refresh)


@dataclass(frozen=True, slots=True)
class BeginSession:
    """From a device that was not seen before, it is told: not the first time of all."""

    post: PostMail

    async def __call__(self, tx: IdentityTx, user: User, session: Session, token: RefreshToken) -> None:
        seen = await tx.sessions.devices(user.id)
        await tx.sessions.add(session)
        await tx.sessions.add_token(token)
        if seen and session.device not in seen:
            at = f"{session.created_at:%Y-%m-%d %H:%M} UTC"
            facts = {"device": session.device, "address": session.address, "at": at}
            await self.post(tx, Mail(to=user.email.text, template="new_sign_in", facts=facts))


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """Takes as long, and says the same, whatever is wrong."""

    uow: UnitOfWork[SecondFactorTx]
    passwords: Passwords
    throttle: Throttle
    ask_second: AskSecondFactor
    begin: BeginSession
    post: PostMail
    issue: IssueTokens
    clock: Clock
    new_id: NewId

    async def __call__(
        self, email: Email, password: str, code: str | None = None, *, device: str, address: str
    ) -> Tokens:
        """``code`` is of the second factor, where there is one.

        Raises SignInRefused, SecondFactorNeeded, SecondFactorRefused, TooManyAttempts.
        """
        # Few tries from one place, more in all: so that nobody locks somebody else out from afar.
        await self.throttle.hit("sign_in", f"{email.key} {address}")
        await self.throttle.hit("sign_in_account", email.key)
        await self.throttle.hit("sign_in_from", address)
        async with self.uow() as tx:
            user = await tx.users.by_email(email.key, lock=False)
        hashed = None if user is None or user.confirmed_at is None else user.password
        right = await self.passwords.verify(normal(password), hashed)
        if user is None or not right:
            raise SignInRefused
        if code is not None:
            await self.throttle.hit("second_factor", str(user.id))
        now = self.clock.now()
        session = Session.begin(user.id, SessionId(self.new_id()), device=device, address=address, now=now)
        token, text = self.issue.refresh_token(session)
        async with self.uow() as tx:
            still = await tx.users.by_email(email.key)
            if still is None or (still.id, still.password) != (user.id, hashed):  # its sessions are over
                raise SignInRefused
            recovered = await self.ask_second(tx, user.id, code)
            await self.begin(tx, user, session, token)
            if recovered:
                facts = {"device": session.device, "address": address}
                await self.post(tx, Mail(to=user.email.text, template="recovery_code_used", facts=facts))
        return await self.issue(session, text)


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshSession:
    """Each token works once. One that comes again may be stolen: its session ends, its owner is told."""

    uow: UnitOfWork[IdentityTx]
    issue: IssueTokens
    post: PostMail
    clock: Clock

    async def __call__(self, text: str, *, address: str) -> Tokens:
        """Raises RefreshTokenRefused."""
        now = self.clock.now()
        async with self.uow() as tx:
            token = await tx.sessions.token(_digest(text))
            if token is None:
                raise RefreshTokenRefused
            session = await tx.sessions.get(token.user, token.session)
            reused = token.used_at is not None
            if reused:
                if session.live(now):
                    owner = await tx.users.get(token.user, lock=False)
                    facts = {"device": session.device, "address": address}
                    await self.post(tx, Mail(to=owner.email.text, template="refresh_reuse", facts=facts))
                await tx.sessions.save(session.end(now))
            else:
                session = session.see(address, now)
                new, new_text = self.issue.refresh_token(session)
                await tx.sessions.save_token(token.use(now))
                await tx.sessions.add_token(new)
                await tx.sessions.save(session)
        if reused:
            raise RefreshTokenRefused
        return await self.issue(session, new_text)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSession:
    uow: UnitOfWork[IdentityTx]
    clock: Clock

    async def __call__(self, person: Person, id: SessionId) -> None:
        """Of oneself. Raises SessionMissing."""
        now = self.clock.now()
        async with self.uow() as tx:
            session = await tx.sessions.get(person.user, id)
            if not session.live(now):
                raise SessionMissing
            await tx.sessions.save(session.end(now))

    async def others(self, person: Person) -> None:
        """All but the one that asks."""
        now = self.clock.now()
        async with self.uow() as tx:
            for each in await tx.sessions.of(person.user):
                if each.id != person.session:
                    await tx.sessions.save(each.end(now))


def _digest(text: str) -> bytes:
    return sha256(text.encode()).digest()
