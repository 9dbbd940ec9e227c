"""Addresses that mails do not reach, or whose owners do not want them: they get no more."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import ClassVar, Protocol
from uuid import UUID

from application.actor import MailService
from application.notifications.ports import MailTransport
from domain.email import EmailRefused, parse_email
from domain.errors import Unauthenticated
from domain.identity.mail import Mail

FINAL = frozenset({"hard_bounce", "spam", "blocked", "invalid_email", "unsubscribed", "complaint"})
"""Events after which no mail goes to an address. All others are told for the record."""
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Suppression:
    """``email`` is the address in its normal form."""

    email: str
    reason: str
    at: datetime


class Suppressions(Protocol):
    async def add(self, email: str, reason: str) -> None:
        """The first reason stays."""

    async def has(self, email: str) -> bool: ...

    async def remove(self, email: str) -> bool:
        """Whether there was one."""

    async def page(self, *, after: str | None, limit: int) -> Sequence[Suppression]:
        """By address."""


class WebhookRefused(Unauthenticated):
    code: ClassVar[str] = "webhook_token_refused"

    def __str__(self) -> str:
        return "the webhook has to show the token of CUEBX_BREVO_WEBHOOK_TOKEN"


@dataclass(frozen=True, slots=True)
class CheckWebhook:
    token: str | None

    def __call__(self, shown: str) -> MailService:
        """Raises WebhookRefused, also where no token is set."""
        if self.token is None or not compare_digest(shown.encode(), self.token.encode()):
            raise WebhookRefused
        return MailService()


@dataclass(frozen=True, slots=True)
class NoteMailEvent:
    suppressions: Suppressions

    async def __call__(self, _actor: MailService, event: str, address: str) -> None:
        """What the mail service says became of a mail to ``address``."""
        if event not in FINAL:
            return
        try:
            email = parse_email(address)
        except EmailRefused:  # nobody here has such an address
            return
        await self.suppressions.add(email.key, event)
        _log.warning("an address gets no more mail: %s", event)


@dataclass(frozen=True, slots=True)
class UnsuppressedMail(MailTransport):
    """Passes on what may go."""

    transport: MailTransport
    suppressions: Suppressions

    async def deliver(self, id: UUID, mail: Mail) -> None:
        if await self.suppressions.has(parse_email(mail.to).key):
            _log.info("a mail was not sent, as its address gets none: %s", mail.template)
            return
        await self.transport.deliver(id, mail)
