import pytest

from domain.ids import parse_account, parse_workspace
from tests.cli.operator import asked, made, misused, refused
from tests.cli.processes import command

pytestmark = pytest.mark.usefixtures("sold")
UNKNOWN = "ws_" + "0" * 26


def listed(workspace: str) -> list[dict[str, object]]:
    return [row for row in asked("workspaces", "list") if row["workspace_id"] == workspace]


def test_a_workspace_is_made_with_an_account_on_the_newest_version_of_a_plan() -> None:
    row = asked("workspaces", "create", " Acme Inc. ", "--plan", "api/team")
    parse_workspace(row["workspace_id"])
    parse_account(row["account_id"])
    assert row["created_at"].endswith("Z")
    told = {name: row[name] for name in ("name", "kind", "plan", "frozen_at")}
    assert told == {"name": "Acme Inc.", "kind": "team", "plan": "api/team@1", "frozen_at": None}
    assert listed(row["workspace_id"]) == [row]


def test_unless_said_a_workspace_is_a_teams_on_the_free_plan() -> None:
    row = asked("workspaces", "create", "Acme")
    assert (row["kind"], row["plan"]) == ("team", "api/free@1")


def test_a_person_has_a_workspace_too() -> None:
    row = made("personal/plus", "--personal")
    assert (row["kind"], row["plan"]) == ("personal", "personal/plus@1")


def test_people_read_the_same_as_programs() -> None:
    row = made()
    result = command("workspaces", "list")
    assert result.exit_code == 0
    for value in (row["workspace_id"], row["account_id"], "Acme", "api/scale@1"):
        assert value in result.stdout
    result = command("workspaces", "freeze", row["workspace_id"])
    first, *_, frozen, deleted = result.stdout.splitlines()
    assert first.split() == ["workspace", "id", row["workspace_id"]]
    assert frozen.startswith("frozen at")
    assert deleted.split() == ["deleted", "at", "-"]


def test_workspaces_are_listed_in_the_order_of_their_making() -> None:
    rows = [made()["workspace_id"] for _ in range(3)]
    assert [row["workspace_id"] for row in asked("workspaces", "list")][-3:] == rows


def test_without_workspaces_the_list_says_so(own_database: str) -> None:
    assert command("workspaces", "list").stdout == "There are no workspaces.\n"
    assert asked("workspaces", "list") == []


def test_a_workspace_is_frozen_and_thawed_once(sold: str) -> None:
    workspace = made()["workspace_id"]
    frozen = asked("workspaces", "freeze", workspace)
    assert frozen["frozen_at"]
    assert asked("workspaces", "freeze", workspace) == frozen
    assert listed(workspace)[0]["frozen_at"] == frozen["frozen_at"]
    assert asked("workspaces", "unfreeze", workspace)["frozen_at"] is None
    assert asked("workspaces", "unfreeze", workspace)["frozen_at"] is None


def test_a_plan_that_is_not_for_sale_is_told() -> None:
    line = refused("workspaces", "create", "Acme", "--plan", "api/huge")
    assert "api/huge" in line
    assert line.endswith("[plan_missing]")


@pytest.mark.parametrize("plan", ["free", "/free", "api/", ""])
def test_a_plan_is_named_with_its_product(plan: str) -> None:
    assert "product/plan" in misused("workspaces", "create", "Acme", "--plan", plan)


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "\x1b[31m", "x" * 101, "\udcff"])
def test_a_name_is_printable_and_of_some_length(name: str) -> None:
    assert refused("workspaces", "create", name).endswith("[name_refused]")


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
def test_an_unknown_workspace_is_told(verb: str) -> None:
    assert refused("workspaces", verb, UNKNOWN) == "Error: there is no such workspace [workspace_missing]"


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
@pytest.mark.parametrize("id", ["", "ws_", "nonsense", "acc_" + "0" * 26, "ws_" + "u" * 26])
def test_an_id_of_the_wrong_form_is_told(verb: str, id: str) -> None:
    assert "is not an id of the form ws_..." in misused("workspaces", verb, id)


@pytest.mark.parametrize("arguments", [["create"], ["freeze"], ["rename", "x"], ["create", "a", "b"]])
def test_a_command_that_is_none_is_told(arguments: list[str]) -> None:
    assert misused("workspaces", *arguments).startswith("Error: ")


def test_seats_are_set_and_members_seen() -> None:
    row = asked("workspaces", "create", "Acme", "--plan", "api/team")
    assert row["seats"] == 10
    assert asked("workspaces", "seats", row["workspace_id"], "3")["seats"] == 3
    assert asked("workspaces", "members", row["workspace_id"]) == []
    assert command("workspaces", "members", row["workspace_id"]).stdout == "It has no members.\n"
    assert "0 is not in the range" in misused("workspaces", "seats", row["workspace_id"], "0")
    assert "there is no such workspace" in refused("workspaces", "seats", UNKNOWN, "3")
    (seats,) = asked("audit-log", row["workspace_id"], "--action", "workspace.seats")
    assert (seats["before"], seats["after"]) == ({"seats": 10}, {"seats": 3})
    personal = made("personal/plus", "--personal")["workspace_id"]
    assert "its owner's alone" in refused("workspaces", "seats", personal, "3")
