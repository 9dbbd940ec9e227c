import asyncio
import logging
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from adapters.mail.texts import text_of
from application.identity.ports import Mailer
from application.ports import Clock, NewId
from domain.identity.mail import Mail

logger = logging.getLogger(__name__)
SENDER = "CueBX <no-reply@cuebx.invalid>"


class FileMailer(Mailer):
    """A file for each mail, in the order of their names, for whoever develops or tests: nothing is sent."""

    def __init__(self, folder: Path, clock: Clock, new_id: NewId) -> None:
        self._folder = folder
        self._clock = clock
        self._new_id = new_id

    async def send(self, mail: Mail) -> None:
        try:
            await asyncio.to_thread(self._write, mail)
        except OSError as error:
            logger.error("a mail could not be written: %s", error.strerror)  # noqa: TRY400 - it is told whole
        else:
            logger.info("a mail was written: %s", mail.template)

    def _write(self, mail: Mail) -> None:
        message = EmailMessage()
        message["From"], message["To"] = SENDER, mail.to
        message["Date"] = format_datetime(self._clock.now())
        message["Subject"], text = text_of(mail)
        message.set_content(text)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = self._folder / f"{self._new_id()}.eml"
        part = whole.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_bytes(message.as_bytes())
        part.replace(whole)
