"""What people's identity is made of: the secret, slow hashes, signed tokens, mails."""

import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from dishka import AnyOf, Provider, Scope, provide
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker

from adapters.mail.files import FileMailer
from adapters.oauth.registered import RegisteredProviders
from adapters.postgres.members import SqlLiveSessions, SqlMemberDirectory
from adapters.postgres.signing_keys import SqlSigningKeys
from adapters.postgres.suppressions import SqlSuppressions
from adapters.postgres.unit_of_work import SqlUnitOfWork
from adapters.security.passwords import Argon2Passwords
from adapters.security.secrecy import KeyedSecrecy, read_secrets
from adapters.security.tokens import Ed25519Keys, JwtAccessTokens
from adapters.security.totp import Totp
from application.events.dead_letters import DeadLettersTx
from application.identity.authenticate import AuthenticateOperator
from application.identity.elsewhere import ElsewhereTx, Providers
from application.identity.me import MeTx
from application.identity.personal_data import PersonalDataTx
from application.identity.ports import (
    AccessTokens,
    IdentityTx,
    LiveSessions,
    Passwords,
    PublishedKeys,
    Secrecy,
    Throttle,
)
from application.identity.second_factor import OneTimePasswords, SecondFactorTx
from application.identity.sign_up import SignUpTx
from application.identity.signing import MakeSigningKey, SigningKeys
from application.identity.throttle import LimitedTries
from application.notifications.ports import MailTransport, Sealing
from application.notifications.send import InboxTx
from application.notifications.suppressions import CheckWebhook, Suppressions, UnsuppressedMail
from application.ports import Clock, UnitOfWork
from application.workspaces.deletion import DeletionTx
from application.workspaces.invitations import InvitationsTx
from application.workspaces.members import MembersTx, SeatsTx
from application.workspaces.ports import MemberDirectory
from application.workspaces.teams import TeamsTx
from entrypoints.local import FOLDER, secret_of
from entrypoints.settings import BadSettings, Settings


class People(Provider):
    scope = Scope.APP

    make_key = provide(Ed25519Keys, provides=MakeSigningKey)
    tokens = provide(JwtAccessTokens, provides=AnyOf[AccessTokens, PublishedKeys])
    one_time = provide(Totp, provides=OneTimePasswords)
    throttle = provide(LimitedTries, provides=Throttle)
    signing_keys = provide(SqlSigningKeys, provides=SigningKeys)
    suppressions = provide(SqlSuppressions, provides=Suppressions)
    operators = provide(AuthenticateOperator)

    @provide
    def secrecy(self, settings: Settings) -> Secrecy:
        secret = secret_of(settings)
        if secret is None:
            raise BadSettings(("CUEBX_SECRET is missing",))
        return KeyedSecrecy(read_secrets(secret))

    @provide
    def passwords(self) -> Iterator[Passwords]:
        passwords = Argon2Passwords()
        yield passwords
        passwords.close()

    @provide
    async def providers(self, settings: Settings) -> AsyncIterator[Providers]:
        apps = {name: (each.client_id, each.client_secret) for name, each in settings.oauth().items()}
        if not apps:
            yield RegisteredProviders()
            return
        from adapters.oauth.providers import registered  # noqa: PLC0415 - large, and only some have providers

        async with registered(apps, redirect_url=settings.oauth_redirect_url) as providers:
            yield providers

    @provide
    def sealing(self, secrecy: Secrecy) -> Sealing:
        return secrecy

    @provide
    async def mails(
        self, settings: Settings, clock: Clock, suppressions: Suppressions
    ) -> AsyncIterator[MailTransport]:
        from adapters.mail.rendering import rendered  # noqa: PLC0415 - large, and servers send no mail

        if settings.brevo_api_key is None:
            yield FileMailer(Path(settings.mail_dir or FOLDER / "mail"), clock, rendered)
            return
        from adapters.brevo.transport import Account, brevo  # noqa: PLC0415 - as above

        account = Account(
            api_key=settings.brevo_api_key,
            sender=settings.mail_from or "",
            url=settings.brevo_url,
            sandbox=settings.mail_sandbox,
        )
        async with brevo(account, rendered) as transport:
            yield UnsuppressedMail(transport, suppressions)

    @provide
    def webhook(self, settings: Settings) -> CheckWebhook:
        return CheckWebhook(settings.brevo_webhook_token)

    @provide
    def sessions(self, sessions: async_sessionmaker[AsyncSession], clock: Clock) -> LiveSessions:
        return SqlLiveSessions(sessions, clock, time.monotonic)

    @provide
    def members(self, sessions: async_sessionmaker[AsyncSession]) -> MemberDirectory:
        return SqlMemberDirectory(sessions, time.monotonic)

    @provide
    def identity_work(self, work: SqlUnitOfWork) -> UnitOfWork[IdentityTx]:
        return work

    @provide
    def second_factor_work(self, work: SqlUnitOfWork) -> UnitOfWork[SecondFactorTx]:
        return work

    @provide
    def elsewhere_work(self, work: SqlUnitOfWork) -> UnitOfWork[ElsewhereTx]:
        return work

    @provide
    def personal_work(self, work: SqlUnitOfWork) -> UnitOfWork[PersonalDataTx]:
        return work

    @provide
    def sign_up_work(self, work: SqlUnitOfWork) -> UnitOfWork[SignUpTx]:
        return work

    @provide
    def teams_work(self, work: SqlUnitOfWork) -> UnitOfWork[TeamsTx]:
        return work

    @provide
    def seats_work(self, work: SqlUnitOfWork) -> UnitOfWork[SeatsTx]:
        return work

    @provide
    def members_work(self, work: SqlUnitOfWork) -> UnitOfWork[MembersTx]:
        return work

    @provide
    def invitations_work(self, work: SqlUnitOfWork) -> UnitOfWork[InvitationsTx]:
        return work

    @provide
    def deletion_work(self, work: SqlUnitOfWork) -> UnitOfWork[DeletionTx]:
        return work

    @provide
    def inbox_work(self, work: SqlUnitOfWork) -> UnitOfWork[InboxTx]:
        return work

    @provide
    def dead_letters_work(self, work: SqlUnitOfWork) -> UnitOfWork[DeadLettersTx]:
        return work

    @provide
    def me_work(self, work: SqlUnitOfWork) -> UnitOfWork[MeTx]:
        return work
