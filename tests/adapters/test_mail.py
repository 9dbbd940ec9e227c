"""Mails as files."""

import email
import email.policy
import stat
from pathlib import Path

import pytest

from adapters.mail.files import FileMailer
from adapters.mail.texts import text_of
from domain.identity.mail import Mail
from tests.fakes.clock import SetClock
from tests.fakes.ids import CountedIds

FACTS = {
    "code": "123456",
    "name": "Ada",
    "device": "curl",
    "address": "203.0.113.9",
    "account": "acc_1",
    "workspace": "Acme",
    "fault": "a fault",
    "expected": "2",
    "found": "3",
    "product": "api",
    "left": "1",
    "granted": "5",
}


@pytest.mark.parametrize(
    "template",
    [
        *("confirm", "already_registered", "reset", "refresh_reuse"),
        *("account_parked", "credits_80", "credits_100"),
    ],
)
def test_every_mail_has_a_subject_and_a_text(template: str) -> None:
    subject, text = text_of(Mail(to="ada@example.org", template=template, facts=FACTS))
    assert 5 < len(subject) < 60
    assert len(text) > 50
    assert "{" not in text


async def test_a_mail_is_a_file_that_only_its_owner_reads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    mailer = FileMailer(tmp_path / "mail", SetClock(), CountedIds())
    for to in ("ada@example.org", "j\u00f6rg@example.org"):
        await mailer.send(Mail(to=to, template="confirm", facts=FACTS))
    first, second = sorted((tmp_path / "mail").iterdir())
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    message = email.message_from_bytes(first.read_bytes(), policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("ada@example.org", "Your code: 123456")
    assert "123456" in message.get_content()
    assert b"Ada" in second.read_bytes()
    assert "123456" not in caplog.text
    assert "ada@" not in caplog.text


async def test_a_mail_that_cannot_be_written_is_told_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "mail").touch()
    mailer = FileMailer(tmp_path / "mail", SetClock(), CountedIds())
    await mailer.send(Mail(to="ada@example.org", template="confirm", facts=FACTS))
    assert "could not be written" in caplog.text
