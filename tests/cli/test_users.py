import asyncio
from pathlib import Path
from uuid import uuid4

import pytest

from entrypoints import container, settings
from tests.cli.operator import asked, misused, refused
from tests.cli.processes import command
from tests.post_office import deliver

pytestmark = pytest.mark.usefixtures("sold")
UNKNOWN = "usr_" + "0" * 26


@pytest.fixture
def olga() -> str:
    return f"olga-{uuid4().hex}@example.org"


@pytest.fixture(autouse=True)
def mails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CUEBX_MAIL_DIR", str(tmp_path))
    return tmp_path


def delivered(mails: Path) -> list[Path]:
    async def work() -> None:
        services = container.build(settings.load())
        await deliver(services)
        await services.close()

    asyncio.run(work())
    return list(mails.glob("*.eml"))


def test_the_first_operator_is_made_and_seen(olga: str, mails: Path) -> None:
    made = asked("users", "create-operator", olga, "--name", "Olga")
    assert (made["email"], made["name"], made["operator"]) == (olga, "Olga", True)
    (mail,) = delivered(mails)
    assert "Your code for a new password" in mail.read_text()
    assert "an operator already [already_operator]" in refused("users", "create-operator", olga)
    for who in (olga.upper(), made["user_id"]):
        shown = asked("users", "show", who)
        assert (shown["user_id"], shown["password"], shown["sessions"]) == (made["user_id"], False, 0)
        assert [each.rpartition(" ")[2] for each in shown["workspaces"]] == ["(owner)"]
    people = command("users", "show", olga).stdout
    assert olga in people
    assert "(owner)" in people
    assert made in asked("users", "list", "--limit", "1000")


def test_people_are_paged(olga: str) -> None:
    asked("users", "create-operator", olga)
    asked("users", "create-operator", f"second-{olga}")
    result = command("users", "list", "--limit", "1")
    last = result.stdout.splitlines()[-1]
    assert last.startswith("There are more: --after usr_")
    (second,) = asked("users", "list", "--limit", "1", "--after", last.rpartition(" ")[2])
    assert second["user_id"] > last.rpartition(" ")[2]


def test_somebody_is_signed_out_and_the_due_are_erased(olga: str) -> None:
    asked("users", "create-operator", olga)
    assert asked("users", "end-sessions", olga)["email"] == olga
    assert asked("users", "erase-due") == []
    assert command("users", "erase-due").stdout == "Nobody is due.\n"


def test_who_is_not_there_is_told(olga: str) -> None:
    for arguments in (("show", UNKNOWN), ("show", olga), ("end-sessions", olga)):
        assert "there is no such user [user_missing]" in refused("users", *arguments)
    assert "WHO" in misused("users", "show", "somebody")
    assert "no e-mail address" in misused("users", "create-operator", "olga")


def test_signing_keys_are_rotated() -> None:
    new = asked("signing-keys", "rotate")
    keys = asked("signing-keys", "list")
    assert keys[-1] == new
    assert new["verifies_until"] is None
    asked("signing-keys", "rotate")
    assert asked("signing-keys", "list")[-2]["verifies_until"] is not None
    assert new["kid"] in command("signing-keys", "list").stdout
