"""Members of a team's workspace, over HTTP."""

import pytest

from tests.http.teams import Team
from tests.http.test_identity import Town, town
from tests.servers import eventually

__all__ = ["town"]
ECHO = "/v1/features/echo/runs"
HELLO = {"text": "hello"}


@pytest.fixture
async def team(town: Town) -> Team:
    return await Team.of(town)


async def test_members_are_listed_page_by_page(team: Team) -> None:
    member = await team.join("mia", "admin")
    first = (await team.town.get(f"{team.path}/members?limit=1", member.token)).json()
    second = await team.town.get(f"{team.path}/members?limit=1&cursor={first['next_cursor']}", member.token)
    assert second.json()["next_cursor"] is None
    items = first["items"] + second.json()["items"]
    assert {(each["user_id"], each["email"], each["role"]) for each in items} == {
        (team.owner.id, team.owner.email, "owner"),
        (member.id, member.email, "admin"),
    }


async def test_roles_go_up_and_down_but_the_owners(team: Team) -> None:
    admin, member = await team.join("amy", "admin"), await team.join("mia")
    path = f"{team.path}/members/{member.id}"
    changed = await team.town.patch(path, admin.token, role="admin")
    assert (changed.status_code, changed.json()["role"]) == (200, "admin")
    for body in ({"role": "member"}, {"disabled": True}):
        refused = await team.town.patch(f"{team.path}/members/{team.owner.id}", admin.token, **body)
        assert (refused.status_code, refused.json()["code"]) == (409, "owner_stays")
    removed = await team.town.delete(f"{team.path}/members/{team.owner.id}", admin.token)
    assert removed.json()["code"] == "owner_stays"
    owned = await team.town.patch(path, admin.token, role="owner")
    assert owned.json()["code"] == "invalid_request"


async def test_a_disabled_member_and_the_keys_it_made_do_nothing_within_a_second(team: Team) -> None:
    await team.subscribe()
    admin = await team.join("amy", "admin")
    secret = (await team.key(admin))["secret"]
    assert (await team.town.post(ECHO, secret, input=HELLO)).status_code == 200
    path = f"{team.path}/members/{admin.id}"
    disabled = await team.town.patch(path, team.owner.token, disabled=True)
    assert disabled.json()["disabled_at"] is not None

    async def code(path: str, token: str) -> str:
        answer = await (
            team.town.post(path, token, input=HELLO) if path == ECHO else team.town.get(path, token)
        )
        return str(answer.json().get("code"))

    async def refused() -> bool:
        codes = await code(ECHO, secret), await code(team.path, admin.token)
        return codes == ("api_key_suspended", "workspace_missing")

    await eventually(refused, within=1)
    await team.town.patch(path, team.owner.token, disabled=False)

    async def back() -> bool:
        return (await code(ECHO, secret), await code(team.path, admin.token)) == ("None", "None")

    await eventually(back, within=2)


async def test_a_removed_members_keys_are_revoked(team: Team) -> None:
    admin = await team.join("amy", "admin")
    secret = (await team.key(admin))["secret"]
    assert (await team.town.delete(f"{team.path}/members/{admin.id}", team.owner.token)).status_code == 204
    again = await team.town.delete(f"{team.path}/members/{admin.id}", team.owner.token)
    assert again.json()["code"] == "member_missing"

    async def refused() -> bool:
        answer = await team.town.post(ECHO, secret, input=HELLO)
        return bool(answer.json().get("code") == "api_key_revoked")

    await eventually(refused, within=1)


async def test_one_leaves_and_the_owner_hands_over_first(team: Team) -> None:
    member = await team.join("mia")
    stays = await team.town.post(f"{team.path}/leave", team.owner.token)
    assert (stays.status_code, stays.json()["code"]) == (409, "owner_stays")
    nobody = await team.town.post(f"{team.path}/transfer", team.owner.token, user_id="usr_" + "0" * 26)
    assert nobody.json()["code"] == "member_missing"
    assert (
        await team.town.post(f"{team.path}/transfer", team.owner.token, user_id=member.id)
    ).status_code == 204
    assert (await team.town.post(f"{team.path}/leave", team.owner.token)).status_code == 204
    (left,) = (await team.town.get(f"{team.path}/members", member.token)).json()["items"]
    assert (left["user_id"], left["role"]) == (member.id, "owner")


async def test_a_workspace_is_renamed_listed_and_deleted(team: Team) -> None:
    await team.subscribe()
    secret = (await team.key())["secret"]
    token, slug = team.owner.token, team.owner.id[4:].replace("_", "")
    changed = await team.town.patch(team.path, token, name="Labs", slug=slug)
    assert (changed.json()["name"], changed.json()["slug"]) == ("Labs", slug)
    taken = await team.town.post("/v1/workspaces", token, name="Other", slug=slug)
    assert (taken.status_code, taken.json()["code"]) == (409, "slug_taken")
    listed = (await team.town.get("/v1/workspaces", token)).json()["items"]
    assert [(each["name"], each["kind"], each["role"]) for each in listed] == [
        ("Ada", "personal", "owner"),
        ("Labs", "team", "owner"),
    ]
    wrong = await team.town.post(f"{team.path}/deletion", token, name="labs")
    assert (wrong.status_code, wrong.json()["code"]) == (422, "name_not_typed")
    personal = f"/v1/workspaces/{listed[0]['id']}/deletion"
    assert (await team.town.post(personal, token, name="Ada")).json()["code"] == "personal_workspace"
    deleted = await team.town.post(f"{team.path}/deletion", token, name="Labs")
    assert (deleted.status_code, deleted.json()["released"]) == (200, 0)
    assert len((await team.town.get("/v1/workspaces", token)).json()["items"]) == 1

    async def gone() -> bool:
        run, read = await team.town.post(ECHO, secret, input=HELLO), await team.town.get(team.path, token)
        codes = run.json().get("code"), read.json().get("code")
        return codes == ("api_key_revoked", "workspace_missing")

    await eventually(gone, within=1)


async def test_invitations_are_listed_resent_and_revoked(team: Team) -> None:
    eve = await team.town.neighbour("eve")
    old = await team.invite(eve)
    assert team.town.mail()[0] == "Ada invites you to Acme"
    (open_,) = (await team.town.get(f"{team.path}/invitations", team.owner.token)).json()["items"]
    assert (open_["email"], open_["role"], open_["invited_by"]) == (eve.email, "member", team.owner.id)
    twice = await team.town.post(f"{team.path}/invitations", team.owner.token, email=eve.email)
    assert (twice.status_code, twice.json()["code"]) == (409, "already_invited")
    path = f"{team.path}/invitations/{open_['id']}"
    assert (await team.town.post(f"{path}/resend", team.owner.token)).status_code == 200
    new = team.town.mail()[1]
    used = await team.town.post("/v1/invitations/accept", eve.token, token=old)
    assert (used.status_code, used.json()["code"]) == (404, "invitation_missing")
    assert (await team.town.delete(path, team.owner.token)).status_code == 204
    gone = await team.town.post("/v1/invitations/accept", eve.token, token=new)
    assert gone.json()["code"] == "invitation_missing"
    assert (await team.town.delete(path, team.owner.token)).json()["code"] == "invitation_missing"


async def test_only_the_invited_address_accepts_and_seats_are_kept_to(town: Town) -> None:
    team = await Team.of(town, seats=2)
    eve, mallory = await town.neighbour("eve"), await town.neighbour("mallory")
    token = await team.invite(eve, "admin")
    stolen = await town.post("/v1/invitations/accept", mallory.token, token=token)
    assert (stolen.status_code, stolen.json()["code"]) == (404, "invitation_missing")
    full = await town.post(f"{team.path}/invitations", team.owner.token, email=mallory.email)
    assert (full.status_code, full.json()["code"], full.json()["seats"]) == (409, "seats_taken", 2)
    joined = await town.post("/v1/invitations/accept", eve.token, token=token)
    assert (joined.json()["workspace_id"], joined.json()["role"]) == (team.workspace, "admin")
    member = await town.post(f"{team.path}/invitations", eve.token, email=team.owner.email)
    assert member.json()["code"] == "already_member"


async def test_whether_an_address_has_an_account_an_invitation_does_not_tell(team: Team) -> None:
    eve = await team.town.neighbour("eve")
    answers = []
    for address in (eve.email, f"nobody-{team.town.ada}"):
        answer = await team.town.post(f"{team.path}/invitations", team.owner.token, email=address)
        shown = answer.json()
        answers.append((answer.status_code, sorted(shown), shown["role"], team.town.mail()[0]))
    assert answers[0] == answers[1]
