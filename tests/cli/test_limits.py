"""What an operator lets keys spend, and reads in the audit log."""

import json

import pytest

from domain.ids import parse_limit
from tests.cli.operator import asked, made, misused, refused
from tests.cli.processes import command

pytestmark = pytest.mark.usefixtures("sold")
NO_KEY = "key_" + "0" * 26
NO_LIMIT = "lim_" + "0" * 52


def a_key(account: str, *options: str) -> str:
    key: str = asked("keys", "create", "--account", account, *options)["key_id"]
    return key


def test_a_key_gets_a_limit_that_is_listed_and_removed() -> None:
    account = made()["account_id"]
    key = a_key(account)
    row = asked("limits", "set", key, "5", "--per", "day")
    parse_limit(row["limit_id"])
    assert {name: row[name] for name in ("subject", "period", "amount", "held", "spent", "shadow")} == {
        "subject": key,
        "period": "day",
        "amount": "5",
        "held": "0",
        "spent": "0",
        "shadow": False,
    }
    raised = asked("limits", "set", key, "7.5", "--per", "day")
    assert (raised["limit_id"], raised["amount"]) == (row["limit_id"], "7.5")
    shadow = asked("limits", "set", key, "0", "--per", "total", "--shadow")
    assert [each["limit_id"] for each in asked("limits", "list", account)] == [
        row["limit_id"],
        shadow["limit_id"],
    ]
    assert asked("limits", "shadow", shadow["limit_id"]) == []
    assert "would have refused nothing" in command("limits", "shadow", shadow["limit_id"]).stdout
    for each in (row, shadow):
        assert command("limits", "remove", each["limit_id"]).exit_code == 0
    assert "There are no limits." in command("limits", "list", account).stdout


def test_what_is_not_there_is_told() -> None:
    assert "there is no such key" in refused("limits", "set", NO_KEY, "5", "--per", "day")
    assert "there is no such limit" in refused("limits", "remove", NO_LIMIT)
    assert "there is no such limit" in refused("limits", "shadow", NO_LIMIT)
    assert "there is no such account" in refused("limits", "list", "acc_" + "0" * 26)


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("limits", "set", NO_KEY, "-5", "--per", "day"), "AMOUNT"),
        (("limits", "set", NO_KEY, "5"), "total"),
        (("limits", "set", NO_KEY, "5", "--per", "week"), "--per"),
        (("limits", "remove", NO_KEY), "LIMIT"),
        (("keys", "rotate", NO_KEY, "--grace", "1w"), "24h or 7d"),
        (("keys", "rotate", NO_KEY, "--grace", "31d"), "at most 30 days"),
        (("keys", "create", "--network", "10.0.0.1/8"), "is no network"),
        (("keys", "create", "--per-minute", "0"), "--per-minute"),
        (("audit-log", NO_KEY), "WORKSPACE"),
    ],
)
def test_what_makes_no_sense_is_told(arguments: tuple[str, ...], fault: str) -> None:
    assert fault in misused(*arguments)


def test_a_key_is_made_with_bounds() -> None:
    account = made()["account_id"]
    row = asked(
        *("keys", "create", "--account", account, "--feature", "echo", "--feature", "classify"),
        *("--network", "2001:DB8::/32", "--per-minute", "5", "--per-day", "50"),
    )
    bounds = {name: row[name] for name in ("features", "networks", "per_minute", "per_day")}
    assert bounds == {
        "features": ["echo", "classify"],
        "networks": ["2001:db8::/32"],
        "per_minute": 5,
        "per_day": 50,
    }


def test_a_key_is_rotated_with_a_grace() -> None:
    account = made()["account_id"]
    first = asked("keys", "create", "--account", account)
    rotated = asked("keys", "rotate", first["key_id"], "--grace", "7d")
    assert rotated["key_id"] == first["key_id"]
    assert rotated["key"] != first["key"]
    assert rotated["old_secret_works_until"] > rotated["created_at"]


def test_the_audit_log_says_what_was_done() -> None:
    workspace = made()
    key = a_key(workspace["account_id"])
    limit = asked("limits", "set", key, "5", "--per", "month")["limit_id"]
    asked("workspaces", "freeze", workspace["workspace_id"])
    entries = asked("audit-log", workspace["workspace_id"])
    assert [(each["action"], each["on"], each["by"]) for each in entries] == [
        ("workspace.frozen", workspace["workspace_id"], "operator"),
        ("limit.set", limit, "operator"),
        ("key.created", key, "operator"),
        ("workspace.created", workspace["workspace_id"], "operator"),
    ]
    only = asked("audit-log", workspace["workspace_id"], "--action", "limit.set", "--limit", "1")
    assert [each["after"]["amount"] for each in only] == ["5"]
    assert asked("audit-log", workspace["workspace_id"], "--from", "2999-01-01") == []
    assert asked("audit-log", workspace["workspace_id"], "--to", "2000-01-01T00:00Z") == []
    assert "workspace.frozen" in command("audit-log", workspace["workspace_id"]).stdout
    lines = command("audit-log", workspace["workspace_id"], "--lines").stdout.splitlines()
    assert [json.loads(each) for each in lines] == entries
