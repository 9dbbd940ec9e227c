"""Spend limits and the audit log of a team, over HTTP."""

import json

import pytest

from tests.http.teams import Team
from tests.http.test_identity import Town, town

__all__ = ["town"]
ECHO = "/v1/features/echo/runs"
HELLO = {"text": "hello"}
COST = "0.102"


@pytest.fixture
async def team(town: Town) -> Team:
    team = await Team.of(town)
    await team.subscribe()
    return team


async def test_a_limit_is_set_changed_listed_and_removed(team: Team) -> None:
    made, token = await team.key(), team.owner.token
    body = {"key_id": made["key"]["id"], "period": "day"}
    limit = (await team.town.post(f"{team.path}/limits", token, **body, amount="0.1")).json()
    refused = await team.town.post(ECHO, made["secret"], input=HELLO)
    assert (refused.status_code, refused.json()["limit_id"]) == (402, limit["id"])
    again = (await team.town.post(f"{team.path}/limits", token, **body, amount="1")).json()
    assert (again["id"], again["amount"]) == (limit["id"], "1")
    assert (await team.town.post(ECHO, made["secret"], input=HELLO)).status_code == 200
    (listed,) = (await team.town.get(f"{team.path}/limits", token)).json()["items"]
    assert (listed["spent"], listed["held"], listed["subject_id"]) == (COST, "0", made["key"]["id"])
    assert (await team.town.delete(f"/v1/limits/{limit['id']}", token)).status_code == 204
    gone = await team.town.delete(f"/v1/limits/{limit['id']}", token)
    assert (gone.status_code, gone.json()["code"]) == (404, "limit_missing")


async def test_a_members_limit_bounds_all_keys_it_made(team: Team) -> None:
    admin = await team.join("amy", "admin")
    keys = [await team.key(admin) for _ in range(2)]
    other = await team.key()
    body = {"user_id": admin.id, "account_id": team.account, "period": "total", "amount": "0.15"}
    assert (await team.town.post(f"{team.path}/limits", team.owner.token, **body)).status_code == 200
    statuses = [
        (await team.town.post(ECHO, each["secret"], input=HELLO)).status_code for each in (*keys, other)
    ]
    assert statuses == [200, 402, 200]
    stranger = await team.town.neighbour("stranger")
    body["user_id"] = stranger.id
    refused = await team.town.post(f"{team.path}/limits", team.owner.token, **body)
    assert (refused.status_code, refused.json()["code"]) == (404, "member_missing")


async def test_a_shadow_tells_how_often_and_whom_it_would_have_refused(team: Team) -> None:
    made = await team.key(limits=[{"period": "month", "amount": "0.01", "shadow": True}])
    for _ in range(3):
        assert (await team.town.post(ECHO, made["secret"], input=HELLO)).status_code == 200
    (limit,) = (await team.town.get(f"{team.path}/limits", team.owner.token)).json()["items"]
    shadow = (await team.town.get(f"/v1/limits/{limit['id']}/shadow", team.owner.token)).json()
    assert (shadow["limit"]["shadow"], shadow["calls"]) == (True, 3)
    (item,) = shadow["items"]
    assert (item["key_id"], item["calls"]) == (made["key"]["id"], 3)
    assert item["first_at"] <= item["last_at"]


async def test_a_limit_is_its_workspaces(team: Team) -> None:
    made = await team.key(limits=[{"period": "month", "amount": "1"}])
    (limit,) = (await team.town.get(f"{team.path}/limits", team.owner.token)).json()["items"]
    stranger = await Team.of(team.town, "stranger")
    for answer in (
        await team.town.get(f"/v1/limits/{limit['id']}/shadow", stranger.owner.token),
        await team.town.delete(f"/v1/limits/{limit['id']}", stranger.owner.token),
        await team.town.get(f"/v1/limits/lim_{'0' * 52}/shadow", stranger.owner.token),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "limit_missing")
    body = {"key_id": made["key"]["id"], "period": "day", "amount": "1"}
    taken = await team.town.post(f"{stranger.path}/limits", stranger.owner.token, **body)
    assert taken.json()["code"] == "key_missing"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "invalid_request"),
        ({"key_id": "key_" + "0" * 26, "user_id": "usr_" + "0" * 26}, "invalid_request"),
        ({"user_id": "usr_" + "0" * 26}, "invalid_request"),
        ({"key_id": "acc_" + "0" * 26}, "malformed_id"),
        ({"key_id": "key_" + "0" * 26, "amount": "-1"}, "malformed_amount"),
    ],
)
async def test_a_limit_that_cannot_be(team: Team, body: dict[str, str], code: str) -> None:
    answer = await team.town.post(
        f"{team.path}/limits", team.owner.token, **{"period": "day", "amount": "1", **body}
    )
    assert answer.json()["code"] == code


async def test_a_key_is_renamed_and_its_bounds_change(team: Team) -> None:
    made = await team.key(features=["echo"], networks=["203.0.113.0/24"], per_minute=5)
    path, token = f"{team.path}/keys/{made['key']['id']}", team.owner.token
    changed = (await team.town.patch(path, token, name="new", networks=None, per_minute=7)).json()
    assert (changed["name"], changed["features"], changed["networks"], changed["per_minute"]) == (
        "new",
        ["echo"],
        None,
        7,
    )
    bad = await team.town.patch(path, token, networks=["10.0.0.1/8"])
    assert bad.json()["code"] == "network_refused"
    assert (await team.town.patch(path, token)).json() == changed


async def test_the_audit_log_tells_who_did_what_and_from_where(team: Team) -> None:
    admin = await team.join("amy", "admin")
    made = await team.key(admin)
    await team.town.delete(f"{team.path}/keys/{made['key']['id']}", team.owner.token)
    log = f"{team.path}/audit-log"
    items = (await team.town.get(log, admin.token)).json()["items"]
    assert [each["action"] for each in items] == [
        *("key.revoked", "key.created", "member.joined", "invitation.sent"),
        *("workspace.seats", "workspace.created"),
    ]
    assert (items[0]["user_id"], items[0]["target"]) == (team.owner.id, made["key"]["id"])
    assert items[0]["before"] == {"revoked_at": None}
    assert items[1]["user_id"] == admin.id
    assert items[1]["address"] == "127.0.0.1"
    assert (items[4]["by"], items[4]["user_id"]) == ("operator", None)
    by = (await team.town.get(f"{log}?actor={admin.id}", admin.token)).json()["items"]
    assert [each["action"] for each in by] == ["key.created", "member.joined"]
    one = (await team.town.get(f"{log}?action=key.created", admin.token)).json()["items"]
    assert [each["id"] for each in one] == [items[1]["id"]]
    none = (await team.town.get(f"{log}?to=2026-01-01", admin.token)).json()
    assert none == {"items": [], "next_cursor": None}


async def test_the_audit_log_is_paged_and_exported_whole(team: Team) -> None:
    for _ in range(3):
        await team.key()
    log, token = f"{team.path}/audit-log", team.owner.token
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await team.town.get(f"{log}?limit=2{cursor}", token)).json()
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == 5
    exported = await team.town.get(f"{log}/export", token)
    assert exported.headers["content-type"].partition(";")[0] == "application/jsonl"
    lines = [json.loads(line) for line in exported.text.splitlines()]
    assert [each["id"] for each in lines] == seen
    filtered = await team.town.get(f"{log}/export?action=key.created", token)
    assert len(filtered.text.splitlines()) == 3


@pytest.mark.parametrize("query", ["actor=me", "from=yesterday", "cursor=x", "limit=0", "who=me"])
async def test_an_audit_log_that_cannot_be_asked_for(team: Team, query: str) -> None:
    answer = await team.town.get(f"{team.path}/audit-log?{query}", team.owner.token)
    assert answer.status_code == 422
