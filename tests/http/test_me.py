"""Somebody changes, takes along, and deletes their account, over HTTP."""

from datetime import UTC, datetime, timedelta

from tests.http.teams import Team
from tests.http.test_identity import GOOD, NEW, Town, town

__all__ = ["town"]


async def test_a_name_is_changed(town: Town) -> None:
    token = (await town.resident())["access_token"]
    changed = await town.patch("/v1/me", token, name="Ada L.")
    assert (changed.status_code, changed.json()["name"]) == (200, "Ada L.")
    assert (await town.get("/v1/me", token)).json() == changed.json()
    assert (await town.patch("/v1/me", token, name=" ")).json()["code"] == "name_refused"


async def test_all_that_is_held_is_taken_along_without_a_secret(town: Town) -> None:
    team = await Team.of(town)
    made = await team.key()
    exported = await town.get("/v1/me/export", team.owner.token)
    assert exported.headers["content-disposition"] == 'attachment; filename="cuebx-export.json"'
    held = exported.json()
    assert (held["user_id"], held["email"], held["name"]) == (team.owner.id, team.owner.email, "Ada")
    assert {each["role"] for each in held["workspaces"]} == {"owner"}
    assert [each["id"] for each in held["keys"]] == [made["key"]["id"]]
    assert [each["action"] for each in held["actions"]] == ["workspace.created", "key.created"]
    assert len(held["sessions"]) == 1
    assert made["secret"] not in exported.text
    assert "digest" not in exported.text
    assert "argon2" not in exported.text


async def test_a_deletion_is_asked_for_seen_and_taken_back(town: Town) -> None:
    token = (await town.resident())["access_token"]
    wrong = await town.post("/v1/me/deletion", token, password=NEW)
    assert (wrong.status_code, wrong.json()["code"]) == (422, "password_refused")
    asked = await town.post("/v1/me/deletion", token, password=GOOD)
    assert asked.status_code == 202
    at = datetime.fromisoformat(asked.json()["deletes_at"])
    assert timedelta(days=29) < at - datetime.now(UTC) < timedelta(days=31)
    assert town.mail()[0] == f"Your account will be deleted on {at:%Y-%m-%d}"
    await town.tokens()
    assert (await town.get("/v1/me", token)).json()["deletes_at"] == asked.json()["deletes_at"]
    assert (await town.delete("/v1/me/deletion", token)).status_code == 204
    again = await town.delete("/v1/me/deletion", token)
    assert (again.status_code, again.json()["code"]) == (409, "deletion_not_asked")


async def test_an_owner_of_a_team_stays(town: Town) -> None:
    team = await Team.of(town)
    refused = await town.post("/v1/me/deletion", team.owner.token, password=GOOD)
    assert (refused.status_code, refused.json()["code"]) == (409, "still_owner")
    assert refused.json()["workspaces"] == [team.workspace]
