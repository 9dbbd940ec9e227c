import asyncio
import logging
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path
from uuid import UUID

from application.notifications.ports import MailTransport, Render
from application.ports import Clock
from domain.identity.mail import Mail
from domain.notifications.errors import MailDelayed

logger = logging.getLogger(__name__)
SENDER = "CueBX <no-reply@cuebx.invalid>"


class FileMailer(MailTransport):
    """A file for each mail, in the order of their names, for whoever develops or tests: nothing is sent."""

    def __init__(self, folder: Path, clock: Clock, render: Render) -> None:
        self._render = render
        self._folder = folder
        self._clock = clock

    async def deliver(self, id: UUID, mail: Mail) -> None:
        try:
            await asyncio.to_thread(self._write, id, mail)
        except OSError as error:
            raise MailDelayed(error.strerror or "it could not be written") from error
        logger.info("a mail was written: %s", mail.template)

    def _write(self, id: UUID, mail: Mail) -> None:
        what = self._render(mail)
        message = EmailMessage()
        message["From"], message["To"] = SENDER, mail.to
        message["Date"] = format_datetime(self._clock.now())
        message["Subject"] = what.subject
        message.set_content(what.text)
        message.add_alternative(what.html, subtype="html")
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = self._folder / f"{id}.eml"
        part = whole.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(message.as_bytes())
        part.replace(whole)
