"""`cuebx mail` and `cuebx dead-letters`."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from adapters.mail.rendering import samples
from domain.ids import event_text
from tests.cli.operator import asked, misused, refused
from tests.cli.processes import command
from tests.conftest import run_sql


def test_every_mail_can_be_looked_at(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "folder"
    result = command("mail", "preview", "--to", str(folder))
    assert result.exit_code == 0
    assert str(folder / "index.html") in result.output
    names = {f"{name}.{kind}" for name in samples() for kind in ("html", "txt")}
    assert {file.name for file in folder.iterdir()} == names | {"index.html"}
    assert "Grace invites you" in (folder / "invitation.txt").read_text()
    for name in samples():
        assert f'href="{name}.html"' in (folder / "index.html").read_text()


@pytest.mark.usefixtures("own_database")
def test_an_operator_sees_who_gets_no_mail_and_allows_it_again(own_database: str) -> None:
    for name in ("b", "a"):
        row = f"('{name}@example.org', 'spam', '2026-11-24T09:30:00Z')"
        asyncio.run(run_sql(own_database, f"INSERT INTO mail_suppression VALUES {row}"))  # noqa: S608 - ours
    first = {"email": "a@example.org", "reason": "spam", "at": "2026-11-24T09:30:00Z"}
    assert asked("mail", "suppressions", "--limit", "1") == [first]
    assert asked("mail", "suppressions", "--after", "a@example.org")[0]["email"] == "b@example.org"
    for was in (True, False):
        answer = asked("mail", "allow", "A@example.org")
        assert answer == {"email": "a@example.org", "was_suppressed": was}
    assert "no e-mail address" in misused("mail", "allow", "nobody")


def test_dead_letters_are_seen_replayed_and_discarded(own_database: str) -> None:
    assert "There are none." in command("dead-letters", "list").stdout
    ids = [uuid4() for _ in range(4)]
    for nth, id in enumerate(ids):
        died_at = f"now() + interval '{nth} s'"
        values = f"('mail', '{id}', 'a.happened', 1, NULL, now(), '{{}}', 'mail_refused', 4, {died_at})"
        asyncio.run(run_sql(own_database, f"INSERT INTO dead_letter VALUES {values}"))  # noqa: S608 - ours
    names = [event_text(id) for id in ids]
    rows = asked("dead-letters", "list")
    assert [each["id"] for each in rows] == names
    assert {each["reason"] for each in rows} == {"mail_refused"}
    assert "There are more" in command("dead-letters", "list", "--limit", "1").stdout
    assert asked("dead-letters", "show", "mail", names[0])["body"] == "{}"
    assert asked("dead-letters", "discard", "mail", names[0])["id"] == names[0]
    assert "[dead_letter_missing]" in refused("dead-letters", "show", "mail", names[0])
    assert asked("dead-letters", "replay", "mail", names[1])["id"] == names[1]
    assert asked("dead-letters", "replay-all", "--kind", "other") == {"replayed": 0}
    asyncio.run(run_sql(own_database, "UPDATE dead_letter SET died_at = now()"))
    assert asked("dead-letters", "replay-all", "--consumer", "mail") == {"replayed": 2}
    assert asked("dead-letters", "list") == []


def test_a_worker_for_a_consumer_that_is_not_there_says_which_there_are(own_database: str) -> None:
    said = refused("worker", "--only", "nobody")
    assert "there is no consumer 'nobody'; there are mail, runs, billing, top-ups, run-ends" in said
