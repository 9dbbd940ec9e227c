import json
from base64 import b64decode, b64encode
from dataclasses import dataclass

from application.notifications.ports import MailTx, Sealing
from domain.identity.mail import Mail
from domain.notifications.events import MailRequested

__all__ = ["MailTx", "PostMail", "opened"]
_PURPOSE = "mail"


@dataclass(frozen=True, slots=True)
class PostMail:
    """A mail that goes if, and only if, the transaction commits."""

    secrecy: Sealing

    async def __call__(self, tx: MailTx, mail: Mail) -> None:
        sealed = self.secrecy.seal(_PURPOSE, json.dumps(dict(mail.facts)).encode())
        event = MailRequested(to=mail.to, template=mail.template, sealed=b64encode(sealed).decode())
        await tx.outbox.add(event)


def opened(secrecy: Sealing, event: MailRequested) -> Mail:
    """Raises ValueError where it was sealed with a secret that is no longer known."""
    facts = json.loads(secrecy.open(_PURPOSE, b64decode(event.sealed)))
    return Mail(to=event.to, template=event.template, facts=facts)
