"""A team's workspace and its keys, over HTTP, from sign-up to the last credit of a key."""

import asyncio
from collections import Counter
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from application.usage.grants import GrantCredits
from domain.credits import MICRO
from domain.ids import parse_account, parse_user, parse_workspace
from domain.usage.lot import Source
from tests.http.test_identity import Town, town

__all__ = ["town"]
ECHO = "/v1/features/echo/runs"
HELLO = {"text": "hello"}


async def a_team(town: Town) -> tuple[str, str, str]:
    """Somebody's access token, workspace and account."""
    token = (await town.resident())["access_token"]
    made = (await town.post("/v1/workspaces", token, name="Acme")).json()
    return token, made["id"], made["accounts"][0]["id"]


async def a_key(town: Town, token: str, workspace: str, **body: object) -> dict[str, Any]:
    answer = await town.post(f"/v1/workspaces/{workspace}/keys", token, **{"name": "CI", **body})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def subscribe(town: Town, account: str) -> None:
    """To a plan without limits of calls, with credits enough."""
    id = parse_account(account)
    async with (await town.services.get(AsyncEngine)).begin() as connection:
        moved = sa.text("UPDATE account SET plan = 'scale' WHERE id = :id")
        await connection.execute(moved, {"id": id})
    await (await town.services.get(GrantCredits))(id, source=Source.TOP_UP, amount=1000 * MICRO)


async def test_a_workspace_is_made_and_read(town: Town) -> None:
    token, workspace, account = await a_team(town)
    read = (await town.get(f"/v1/workspaces/{workspace}", token)).json()
    assert (read["name"], read["kind"], read["accounts"][0]["id"]) == ("Acme", "team", account)
    me = (await town.get("/v1/me", token)).json()
    assert {each["role"] for each in me["workspaces"]} == {"owner"}
    assert workspace in {each["workspace_id"] for each in me["workspaces"]}


async def test_a_key_with_a_limit_is_spent_by_fifty_at_once_and_not_one_over(town: Town) -> None:
    token, workspace, account = await a_team(town)
    await subscribe(town, account)
    limits = [{"period": "month", "amount": "5"}]
    made = await a_key(town, token, workspace, account_id=account, limits=limits)
    runs = await asyncio.gather(*(town.post(ECHO, made["secret"], input=HELLO) for _ in range(60)))
    answers = Counter(run.status_code for run in runs)
    assert set(answers) <= {200, 402}
    while (last := await town.post(ECHO, made["secret"], input=HELLO)).status_code == 200:
        answers[200] += 1
    assert last.json()["code"] == "spend_limit_reached"
    assert answers[200] * 102 <= 5000, "thousandths of a credit"
    usage = (await town.get("/v1/usage?by=key", made["secret"])).json()["items"]
    assert float(usage[0]["charged"]) == answers[200] * 102 / 1000


async def test_a_key_is_rotated_listed_and_revoked(town: Town) -> None:
    token, workspace, account = await a_team(town)
    made = await a_key(town, token, workspace, account_id=account, features=["echo"])
    path = f"/v1/workspaces/{workspace}/keys/{made['key']['id']}"
    rotated = (await town.post(f"{path}/rotate", token, grace_seconds=60)).json()
    assert rotated["key"]["id"] == made["key"]["id"]
    for secret in (made["secret"], rotated["secret"]):
        assert (await town.post(ECHO, secret, input=HELLO)).status_code == 200
    (listed,) = (await town.get(f"/v1/workspaces/{workspace}/keys", token)).json()["items"]
    assert (listed["name"], listed["features"]) == ("CI", ["echo"])
    assert listed["old_secret_works_until"] is not None
    assert "secret" not in listed
    other = await town.post("/v1/features/classify/runs", rotated["secret"], input={})
    assert (other.status_code, other.json()["code"]) == (403, "feature_not_allowed")
    assert (await town.delete(path, token)).json()["revoked_at"] is not None
    refused = await town.post(f"{path}/rotate", token)
    assert refused.json()["code"] == "api_key_revoked"


async def test_a_key_is_refused_from_another_network(town: Town) -> None:
    token, workspace, account = await a_team(town)
    made = await a_key(town, token, workspace, account_id=account, networks=["203.0.113.0/24"])
    refused = await town.post(ECHO, made["secret"], input=HELLO)
    assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed")


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"networks": ["10.0.0.1/8"]}, "network_refused"),
        ({"limits": [{"period": "day", "amount": "-1"}]}, "malformed_amount"),
        ({"limits": [{"period": "day", "amount": "99999999999"}]}, "invalid_request"),
        ({"limits": [{"period": "day", "amount": "1"}] * 2}, "invalid_request"),
        ({"account_id": "acc_" + "0" * 26}, "account_missing"),
        ({"account_id": "key_" + "0" * 26}, "malformed_id"),
    ],
)
async def test_a_key_that_cannot_be_is_not_made(town: Town, changed: dict[str, object], code: str) -> None:
    token, workspace, account = await a_team(town)
    body: dict[str, Any] = {"name": "CI", "account_id": account, **changed}
    answer = await town.post(f"/v1/workspaces/{workspace}/keys", token, **body)
    assert answer.json()["code"] == code
    assert (await town.get(f"/v1/workspaces/{workspace}/keys", token)).json()["items"] == []


async def test_another_teams_workspace_is_missing(town: Town) -> None:
    token, workspace, account = await a_team(town)
    made = await a_key(town, token, workspace, account_id=account)
    town.ada = f"other-{town.ada}"
    stranger, own, _ = await a_team(town)
    for path in (f"/v1/workspaces/{workspace}", f"/v1/workspaces/{workspace}/keys"):
        answer = await town.get(path, stranger)
        assert (answer.status_code, answer.json()["code"]) == (404, "workspace_missing")
    taken = await town.post(f"/v1/workspaces/{workspace}/keys", stranger, name="x", account_id=account)
    assert taken.json()["code"] == "workspace_missing"
    through = await town.delete(f"/v1/workspaces/{own}/keys/{made['key']['id']}", stranger)
    assert (through.status_code, through.json()["code"]) == (404, "key_missing")
    lent = await town.post(f"/v1/workspaces/{own}/keys", stranger, name="x", account_id=account)
    assert lent.json()["code"] == "account_missing"


async def test_a_plain_member_makes_no_keys(town: Town) -> None:
    token, workspace, account = await a_team(town)
    user = (await town.get("/v1/me", token)).json()["user_id"]
    async with (await town.services.get(AsyncEngine)).begin() as connection:
        demote = sa.text("UPDATE member SET role = 'member' WHERE workspace_id = :ws AND user_id = :user")
        await connection.execute(demote, {"ws": parse_workspace(workspace), "user": parse_user(user)})
    answer = await town.post(f"/v1/workspaces/{workspace}/keys", token, name="x", account_id=account)
    assert (answer.status_code, answer.json()["code"]) == (403, "operation_denied")
    assert answer.json()["roles"] == ["owner", "admin"]
    assert (await town.get(f"/v1/workspaces/{workspace}", token)).status_code == 200
