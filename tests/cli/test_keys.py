import asyncio
from datetime import UTC, datetime

import pytest

from application.keys.authenticate import Authenticate
from domain.ids import account_text, parse_key
from domain.keys.key import KeyKind, kind_of
from tests.cli.operator import asked, made, misused, refused
from tests.cli.processes import command
from tests.shop import services_on

pytestmark = pytest.mark.usefixtures("sold")
UNKNOWN = "key_" + "0" * 26
LATER = "2999-12-31"


def account_of(database: str, key: str) -> str:
    """Whose credits somebody spends who presents ``key``."""

    async def ask() -> str:
        async with services_on(database) as services:
            return account_text((await (await services.get(Authenticate)).customer(key)).account)

    return asyncio.run(ask())


@pytest.mark.parametrize("kind", ["live", "test"])
def test_a_key_opens_the_account_that_it_was_made_for(sold: str, kind: str) -> None:
    account = made()["account_id"]
    row = asked("keys", "create", "--account", account, "--kind", kind, "--name", "CI")
    parse_key(row["key_id"])
    assert kind_of(row["key"]) == kind
    assert (row["name"], row["account_id"]) == ("CI", account)
    assert (row["expires_at"], row["revoked_at"]) == (None, None)
    assert account_of(sold, row["key"]) == account


def test_unless_said_a_key_is_live_and_named_for_that() -> None:
    row = asked("keys", "create", "--account", made()["account_id"])
    assert (kind_of(row["key"]), row["name"]) == (KeyKind.LIVE, "live")


def test_a_service_key_belongs_to_no_account() -> None:
    row = asked("keys", "create", "--kind", "service", "--name", "gateway")
    assert (kind_of(row["key"]), row["account_id"]) == (KeyKind.SERVICE, None)
    shown = {**row, "key": f"cbx_svc_...{row['key'][-4:]}"}
    assert shown in asked("keys", "list")


def test_a_key_is_shown_once() -> None:
    workspace = made()
    first = asked("keys", "create", "--account", workspace["account_id"])
    second = asked("keys", "create", "--account", workspace["account_id"], "--kind", "test")
    listed = asked("keys", "list", "--workspace", workspace["workspace_id"])
    assert [row["key_id"] for row in listed] == [first["key_id"], second["key_id"]]
    assert [row["key"] for row in listed] == [
        f"cbx_live_...{first['key'][-4:]}",
        f"cbx_test_...{second['key'][-4:]}",
    ]


def test_people_read_the_same_as_programs() -> None:
    workspace = made()
    result = command("keys", "create", "--account", workspace["account_id"], "--name", "CI")
    assert result.exit_code == 0
    shown = dict(line.rsplit("  ", 1) for line in result.stdout.splitlines())
    shown = {name.strip(): value.strip() for name, value in shown.items()}
    kind_of(shown["key"])
    assert (shown["name"], shown["account id"], shown["expires at"]) == ("CI", workspace["account_id"], "-")
    table = command("keys", "list", "--workspace", workspace["workspace_id"]).stdout
    assert shown["key id"] in table
    assert shown["key"] not in table


def test_a_workspace_without_keys_has_none() -> None:
    workspace = made()["workspace_id"]
    assert command("keys", "list", "--workspace", workspace).stdout == "There are no keys.\n"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (LATER, datetime(2999, 12, 31, tzinfo=UTC)),
        (f"{LATER}T12:30Z", datetime(2999, 12, 31, 12, 30, tzinfo=UTC)),
        (f"{LATER}T12:30+02:00", datetime(2999, 12, 31, 10, 30, tzinfo=UTC)),
    ],
)
def test_a_key_may_end_on_a_day_or_at_an_instant(said: str, meant: datetime) -> None:
    row = asked("keys", "create", "--account", made()["account_id"], "--expires", said)
    assert datetime.fromisoformat(row["expires_at"]) == meant


def test_a_revoked_key_is_revoked_for_good() -> None:
    workspace = made()
    key = asked("keys", "create", "--account", workspace["account_id"])["key_id"]
    revoked = asked("keys", "revoke", key)
    assert revoked["revoked_at"]
    assert asked("keys", "revoke", key) == revoked
    assert asked("keys", "list", "--workspace", workspace["workspace_id"]) == [revoked]


@pytest.mark.parametrize("kind", ["live", "test"])
def test_a_customers_key_needs_an_account(kind: str) -> None:
    assert "--account" in misused("keys", "create", "--kind", kind)


def test_a_service_key_takes_no_account() -> None:
    assert "--account" in misused("keys", "create", "--kind", "service", "--account", made()["account_id"])


def test_what_is_unknown_is_told() -> None:
    assert refused("keys", "revoke", UNKNOWN) == "Error: there is no such key [key_missing]"
    nobody = "acc_" + "0" * 26
    line = "Error: there is no such account [account_missing]"
    assert refused("keys", "create", "--account", nobody) == line


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["create", "--account", "ws_" + "0" * 26], "is not an id of the form acc_..."),
        (["create", "--kind", "gold"], "'gold' is not one of"),
        (["create", "--account", "acc_" + "0" * 26, "--expires", "soon"], "is neither a day"),
        (["create", "--account", "acc_" + "0" * 26, "--expires", "2026-02-30"], "is neither a day"),
        (
            ["create", "--account", "acc_" + "0" * 26, "--expires", "9999-12-31T23:00-10:00"],
            "is neither a day",
        ),
        (["create", "--account", "acc_" + "0" * 26, "--expires", "2020-01-01"], "is over"),
        (["create", "--account", "acc_" + "0" * 26, "--name", "\udcff"], "printable"),
        (["create", "--account", "acc_" + "0" * 26, "--name", "\x1b[31m"], "printable"),
        (["create", "--account", "acc_" + "0" * 26, "--name", "x" * 101], "printable"),
        (["list", "--workspace", "acme"], "is not an id of the form ws_..."),
        (["revoke", "cbx_live_x"], "is not an id of the form key_..."),
        (["revoke"], "Missing argument 'KEY'"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: list[str], fault: str) -> None:
    assert fault in misused("keys", *arguments)
