"""Sign-in with an account at another provider: OAuth 2.0 with PKCE (RFC 6749, RFC 7636, RFC 9700).

What was begun is kept by the browser, sealed, in a cookie: only the browser that began can finish, and
nothing has to be cleaned up. The provider takes each code once, and only with the verifier from that cookie.
"""

import json
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Protocol

from application.actor import Person
from application.identity.ports import Secrecy, Throttle
from application.identity.second_factor import AskSecondFactor, SecondFactorTx
from application.identity.sign_in import BeginSession, IssueTokens, Tokens
from application.identity.sign_up import SignUpTx
from application.keys.ports import Secrets
from application.notifications.post import PostMail
from application.ports import Clock, NewId, UnitOfWork
from application.workspaces.personal import OpenPersonalWorkspace
from domain.catalog.plan import Plan
from domain.email import EmailRefused, parse_email
from domain.identity.code import Purpose
from domain.identity.elsewhere import (
    AddressNotVerified,
    ElsewhereRefused,
    IdentityMissing,
    LastWayIn,
    LinkedIdentity,
    Proved,
)
from domain.identity.mail import Mail
from domain.identity.session import Session
from domain.identity.user import User
from domain.ids import SessionId, UserId

LASTS = timedelta(minutes=10)
_PURPOSE = "elsewhere"
_RANDOM_BYTES = 32


class Provider(Protocol):
    """One that people have accounts at."""

    @property
    def name(self) -> str:
        """As it stands in paths: ``google``."""

    def authorization_url(self, state: str, challenge: str) -> str:
        """Where the browser goes. ``challenge`` is S256 of the verifier."""

    async def identify(self, code: str, verifier: str) -> Proved:
        """Who came back with ``code``. Raises ElsewhereRefused, ProviderFailed."""


class Providers(Protocol):
    def get(self, name: str) -> Provider:
        """Raises ProviderMissing."""


class LinkedIdentities(Protocol):
    async def get(self, provider: str, subject: str) -> LinkedIdentity | None:
        """Until the transaction ends nobody else gets it, nor finds that there is none."""

    async def add(self, identity: LinkedIdentity) -> None:
        """Nothing is done where it is there already."""

    async def of(self, user: UserId) -> Sequence[LinkedIdentity]:
        """Oldest first."""

    async def remove(self, identity: LinkedIdentity) -> None: ...


class ElsewhereTx(SignUpTx, SecondFactorTx, Protocol):
    @property
    def identities(self) -> LinkedIdentities: ...


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it keeps until it comes back."""

    url: str
    kept: str

    def __repr__(self) -> str:
        return "Begun(...)"


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginElsewhere:
    providers: Providers
    secrets: Secrets
    secrecy: Secrecy
    throttle: Throttle
    clock: Clock

    async def __call__(self, provider: str, *, address: str) -> Begun:
        """Raises ProviderMissing, TooManyAttempts."""
        await self.throttle.hit("sign_in_from", address)
        found = self.providers.get(provider)
        state, verifier = _text(self.secrets(_RANDOM_BYTES)), _text(self.secrets(_RANDOM_BYTES))
        until = (self.clock.now() + LASTS).isoformat()
        plain = json.dumps([provider, state, verifier, until]).encode()
        challenge = _text(sha256(verifier.encode()).digest())  # RFC 7636, section 4.2
        kept = self.secrecy.seal(_PURPOSE, plain).hex()
        return Begun(found.authorization_url(state, challenge), kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishElsewhere:
    """Links an account only by an address that the provider has verified, and tells its owner."""

    uow: UnitOfWork[ElsewhereTx]
    providers: Providers
    secrecy: Secrecy
    throttle: Throttle
    ask_second: AskSecondFactor
    open_workspace: OpenPersonalWorkspace
    begin: BeginSession
    issue: IssueTokens
    post: PostMail
    clock: Clock
    new_id: NewId

    async def __call__(
        self,
        provider: str,
        *,
        code: str,
        state: str,
        kept: str,
        second: str | None,
        device: str,
        address: str,
    ) -> Tokens:
        """``second`` is a code of the second factor, where there is one.

        Raises ProviderMissing, ElsewhereRefused, ProviderFailed, AddressNotVerified, SecondFactorNeeded,
        SecondFactorRefused, TooManyAttempts.
        """
        await self.throttle.hit("sign_in_from", address)
        found = self.providers.get(provider)
        verifier = self._verifier(provider, state, kept)
        proved = await found.identify(code, verifier)
        if second is not None:
            await self.throttle.hit("second_factor", f"{provider} {proved.subject}")
        plan = await self.open_workspace.plan()
        async with self.uow() as tx:
            user, linked = await self._user(tx, proved, plan)
            recovered = await self.ask_second(tx, user.id, second)
            now = self.clock.now()
            session = Session.begin(
                user.id, SessionId(self.new_id()), device=device, address=address, now=now
            )
            token, text = self.issue.refresh_token(session)
            await self.begin(tx, user, session, token)
            if recovered:
                facts = {"device": session.device, "address": address}
                await self.post(tx, Mail(to=user.email.text, template="recovery_code_used", facts=facts))
            if linked:
                facts = {"provider": provider}
                await self.post(tx, Mail(to=user.email.text, template="identity_linked", facts=facts))
        return await self.issue(session, text)

    def _verifier(self, provider: str, state: str, kept: str) -> str:
        """Raises ElsewhereRefused."""
        try:
            plain = self.secrecy.open(_PURPOSE, bytes.fromhex(kept))
        except ValueError:
            raise ElsewhereRefused from None
        begun_at, begun, verifier, until = json.loads(plain)
        same = begun_at == provider and compare_digest(str(begun).encode(), state.encode())
        if not same or self.clock.now() >= datetime.fromisoformat(until):
            raise ElsewhereRefused
        return str(verifier)

    async def _user(self, tx: ElsewhereTx, proved: Proved, plan: Plan) -> tuple[User, bool]:
        """Whose it is, and whether it was linked to an account that was there. Raises AddressNotVerified."""
        linked = await tx.identities.get(proved.provider, proved.subject)
        if linked is not None:
            return await tx.users.get(linked.user), False
        try:
            email = parse_email(proved.email or "")
        except EmailRefused:
            raise AddressNotVerified(proved.provider) from None
        now = self.clock.now()
        user = User(
            id=UserId(self.new_id()),
            email=email,
            name=proved.shown(email.text),
            password=None,
            created_at=now,
            confirmed_at=now,
        )
        new = await tx.users.add(user)
        there = None if new else await tx.users.by_email(email.key)
        if there is not None and there.confirmed_at is not None:
            user = there
        elif there is not None:
            # Somebody signed up with this address and never showed that it is theirs: their password is void.
            user = there.taken_over(user.name, now)
            await tx.users.save(user)
            await tx.codes.remove(user.id, Purpose.CONFIRM)
        if user is not there:
            await self.open_workspace(tx, user, plan)
        identity = LinkedIdentity(
            provider=proved.provider, subject=proved.subject, user=user.id, linked_at=now
        )
        await tx.identities.add(identity)
        return user, user is there


@dataclass(frozen=True, slots=True)
class LinkedAccounts:
    uow: UnitOfWork[ElsewhereTx]

    async def __call__(self, person: Person) -> Sequence[LinkedIdentity]:
        """Oldest first."""
        async with self.uow() as tx:
            return await tx.identities.of(person.user)

    async def unlink(self, person: Person, provider: str) -> None:
        """Raises IdentityMissing, LastWayIn, UserMissing."""
        async with self.uow() as tx:
            user = await tx.users.get(person.user)
            every = await tx.identities.of(person.user)
            theirs = [each for each in every if each.provider == provider]
            if not theirs:
                raise IdentityMissing
            if user.password is None and len(theirs) == len(every):
                raise LastWayIn
            for each in theirs:
                await tx.identities.remove(each)


def _text(raw: bytes) -> str:
    """Base64url without padding: unreserved characters only."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
