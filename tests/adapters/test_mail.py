"""What mails say, and mails as files."""

import email
import email.policy
import re
import stat
from pathlib import Path

import pytest

from adapters.mail.files import FileMailer
from adapters.mail.rendering import rendered, samples
from domain.identity.mail import Mail
from domain.notifications.errors import MailDelayed, MailRefused
from tests.fakes.clock import SetClock
from tests.fakes.ids import CountedIds

TEMPLATES = Path("adapters/mail/templates")
CONFIRM = Mail(to="ada@example.org", template="confirm", facts={"code": "123456", "name": "Ada"})


def sample(name: str, **changed: str) -> Mail:
    return Mail(to="ada@example.org", template=name, facts={**samples()[name], **changed})


def test_each_mail_has_html_a_text_and_a_sample() -> None:
    assert {each.stem for each in TEMPLATES.glob("*.mjml")} - {"layout", "parts"} == set(samples())
    assert {each.stem for each in TEMPLATES.glob("*.txt")} == set(samples())


@pytest.mark.parametrize("name", sorted(samples()))
def test_every_mail_says_all_that_it_is_told_in_both_parts(name: str) -> None:
    what = rendered(sample(name))
    assert 5 < len(what.subject) < 80
    assert len(what.text) > 50
    assert what.html.startswith("<!doctype html>")
    shown = re.sub(r"\s+", " ", what.html).replace("&#39;", "'")
    for part in (what.subject + what.text, what.html):
        assert not re.search(r"\{[{%]|[%}]\}|<mj-", part)
    for fact in samples()[name].values():
        assert fact in what.subject + what.text
        assert fact in shown or fact in what.subject


@pytest.mark.parametrize("name", sorted(samples()))
def test_the_lines_of_a_text_fit_a_terminal(name: str) -> None:
    facts = dict.fromkeys(samples()[name], "x")
    what = rendered(Mail(to="ada@example.org", template=name, facts=facts))
    assert max(map(len, what.text.splitlines())) <= 80


def test_a_name_breaks_no_line_and_is_no_html() -> None:
    evil = "<b>Eve</b>\r\nBcc: all@example.org\u2028{{ 7 * 7 }}"
    what = rendered(sample("invitation", inviter=evil))
    assert "\n" not in what.subject
    assert "\r" not in what.subject + what.text
    assert not [line for line in what.text.splitlines() if line.startswith("Bcc")]
    assert "<b>Eve</b>" not in what.html
    assert "&lt;b&gt;Eve&lt;/b&gt;" in what.html
    assert "{{ 7 * 7 }}" in what.text


@pytest.mark.parametrize(
    "mail",
    [
        Mail(to="ada@example.org", template="nothing", facts={}),
        Mail(to="ada@example.org", template="confirm", facts={"code": "1"}),
        Mail(to="ada@example.org", template="confirm", facts={"code": "1", "name": "A", "more": "x"}),
    ],
)
def test_a_mail_that_is_told_too_much_or_not_enough_is_refused(mail: Mail) -> None:
    with pytest.raises(MailRefused):
        rendered(mail)


async def test_a_mail_is_a_file_that_only_its_owner_reads(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    mailer, next_id = FileMailer(tmp_path / "mail", SetClock(), rendered), CountedIds()
    for to in ("ada@example.org", "j\u00f6rg@example.org"):
        await mailer.deliver(next_id(), Mail(to=to, template="confirm", facts=CONFIRM.facts))
    first, second = sorted((tmp_path / "mail").iterdir())
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    message = email.message_from_bytes(first.read_bytes(), policy=email.policy.default)
    assert (message["To"], message["Subject"]) == ("ada@example.org", "Your code: 123456")
    for kind in ("plain", "html"):
        part = message.get_body((kind,))
        assert part is not None
        assert "123456" in part.get_content()
    assert b"Ada" in second.read_bytes()
    assert "123456" not in caplog.text
    assert "ada@" not in caplog.text


async def test_the_same_mail_again_is_the_same_file(tmp_path: Path) -> None:
    mailer, id = FileMailer(tmp_path, SetClock(), rendered), CountedIds()()
    for _ in range(2):
        await mailer.deliver(id, CONFIRM)
    assert len(list(tmp_path.iterdir())) == 1  # noqa: ASYNC240 - one file


async def test_a_mail_that_cannot_be_written_may_go_later(tmp_path: Path) -> None:
    (tmp_path / "mail").touch()
    mailer = FileMailer(tmp_path / "mail", SetClock(), rendered)
    with pytest.raises(MailDelayed, match="exists"):
        await mailer.deliver(CountedIds()(), CONFIRM)
