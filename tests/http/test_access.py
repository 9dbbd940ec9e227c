"""The table of who may do what, against everything that can be done, by everybody who may try."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from dishka import AsyncContainer

import adapters.security.tokens
import entrypoints.cli
from application.access import TABLE, Credential
from application.identity.ports import AccessTokens
from domain.ids import SessionId, parse_user
from domain.workspaces.role import Role
from tests.http.document import OPERATIONS, Operation
from tests.http.teams import Team
from tests.http.test_identity import Town, town
from tests.shop import WEBHOOK_TOKEN, Shop, Somebody

__all__ = ["town"]
SCHEME = {
    Credential.SERVICE_KEY: "service_key",
    Credential.CUSTOMER_KEY: "customer_key",
    Credential.ACCESS_TOKEN: "access_token",
    Credential.OPERATOR: "access_token",
    Credential.WEBHOOK_TOKEN: "webhook_token",
}
PUBLIC = {each.spec["operationId"]: each for each in OPERATIONS}
ABOUT_A_WORKSPACE = {name for name, rule in TABLE.items() if rule.roles is not None and name in PUBLIC}
FOR_OPERATORS = {name for name in PUBLIC if TABLE[name].by == {Credential.OPERATOR}}
NAMES = {
    "workspace": "ws_" + "0" * 26,
    "key": "key_" + "0" * 26,
    "session": "ses_" + "0" * 26,
    "user": "usr_" + "0" * 26,
    "invitation": "inv_" + "0" * 26,
    "limit": "lim_" + "0" * 52,
    "reservation": "rsv_" + "0" * 52,
    "run": "run_" + "0" * 52,
    "batch": "bat_" + "0" * 52,
    "event": "evt_" + "0" * 26,
    "consumer": "mail",
    "feature": "echo",
    "provider": "google",
    "product": "api",
}
PAST = datetime(2026, 1, 1, tzinfo=UTC)


def commands() -> set[str]:
    """What the command line does under the table."""
    folder = Path(entrypoints.cli.__path__[0])
    return {
        name
        for file in folder.glob("*.py")
        for name in re.findall(r'@with_services\("(\w+)"\)', file.read_text())
    }


def test_every_row_is_something_that_can_be_done_and_nothing_has_none() -> None:
    assert set(TABLE) == set(PUBLIC) | commands()
    for name in commands():
        assert Credential.OPERATOR in TABLE[name].by


@pytest.mark.parametrize("operation", PUBLIC.values(), ids=lambda each: each.name)
def test_the_document_asks_for_what_the_table_says(operation: Operation) -> None:
    by = TABLE[operation.spec["operationId"]].by
    asked = next((scheme for credential, scheme in SCHEME.items() if credential in by), None)
    assert operation.scheme == (None if Credential.NOTHING in by else asked)


def test_what_is_about_a_workspace_names_one() -> None:
    named = {name for name, each in PUBLIC.items() if {"{workspace}", "{limit}"} & set(parts(each.path))}
    assert named == ABOUT_A_WORKSPACE


def parts(path: str) -> list[str]:
    return path.split("/")


@dataclass(frozen=True)
class Cast:
    """Everybody who may try something, with what they show."""

    others: Mapping[str, str]
    """By kind, those whose credential is of no use anywhere: expired, mistyped, missing."""
    keys: Mapping[str, str]
    """A good one of each scheme."""
    operator: str
    roles: Mapping[Role, str]
    outside: Mapping[str, str]
    """People who are no enabled members of the team."""
    mine: Mapping[str, str]
    """Names of the team's things."""
    theirs: Mapping[str, str]
    """Names of another team's."""


@pytest.fixture
async def cast(town: Town, services: AsyncContainer, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Cast:
    tenant = await shop.tenant()
    team, other = await Team.of(town), await Team.of(town, "rival")
    admin, member = await team.join("amy", "admin"), await team.join("mia")
    disabled, removed = await team.join("dora"), await team.join("rita")
    await town.patch(f"{team.path}/members/{disabled.id}", team.owner.token, disabled=True)
    await town.delete(f"{team.path}/members/{removed.id}", team.owner.token)
    olga = await Somebody.on(town.services, f"{uuid4().hex}@example.org", operator=True)
    tokens = await town.services.get(AccessTokens)
    monkeypatch.setattr(adapters.security.tokens, "TOKEN_LASTS", -timedelta(seconds=1))
    expired = await tokens.issue(parse_user(team.owner.id), SessionId(parse_user(team.owner.id)))
    monkeypatch.undo()
    return Cast(
        others={
            "nothing": "",
            "nonsense": "nonsense",
            "mistyped": tenant.live[:-1] + "!",
            "expired token": expired,
            "expired key": (await shop.key(tenant.account, expires_at=PAST)).text,
        },
        keys={
            "service_key": (await shop.service_key()).text,
            "customer_key": tenant.live,
            "access_token": team.owner.token,
            "webhook_token": WEBHOOK_TOKEN,
        },
        operator=olga.tokens.access,
        roles={Role.OWNER: team.owner.token, Role.ADMIN: admin.token, Role.MEMBER: member.token},
        outside={"disabled": disabled.token, "removed": removed.token, "stranger": other.owner.token},
        mine=await names(team, member.id),
        theirs=await names(other, other.owner.id),
    )


async def names(team: Team, user: str) -> Mapping[str, str]:
    """Of one thing of each kind."""
    made = await team.key(limits=[{"period": "day", "amount": "1"}])
    (limit,) = (await team.town.get(f"{team.path}/limits", team.owner.token)).json()["items"]
    await team.invite(await team.town.neighbour(f"invited-by-{team.owner.email[:4]}"))
    (invitation,) = (await team.town.get(f"{team.path}/invitations", team.owner.token)).json()["items"]
    ids = {"workspace": team.workspace, "key": made["key"]["id"], "user": user}
    return {**NAMES, **ids, "limit": limit["id"], "invitation": invitation["id"]}


async def ask(
    http: httpx.AsyncClient, operation: Operation, credential: str, names: Mapping[str, str] = NAMES
) -> httpx.Response:
    """What has a body is sent none that it could act on: whoever may, is told so, and nothing is done."""
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    body = "no JSON" if operation.method in {"POST", "PATCH"} else None
    return await http.request(operation.method, operation.path.format(**names), headers=headers, content=body)


def secured() -> Iterator[tuple[str, Operation]]:
    return ((name, each) for name, each in PUBLIC.items() if each.scheme is not None)


async def test_no_other_kind_of_credential_opens_anything(town: Town, cast: Cast) -> None:
    for name, operation in secured():
        wrong = {kind: text for kind, text in cast.keys.items() if kind != operation.scheme}
        if name in FOR_OPERATORS:
            wrong["somebody's token"] = cast.keys["access_token"]
        for kind, text in {**cast.others, **wrong}.items():
            answer = await ask(town.http, operation, text, cast.mine)
            assert answer.status_code in {401, 403}, (operation.name, kind, answer.text)


async def test_the_right_kind_gets_further(town: Town, cast: Cast) -> None:
    for name, operation in secured():
        if name in ABOUT_A_WORKSPACE:
            continue
        right = cast.operator if name in FOR_OPERATORS else cast.keys[str(operation.scheme)]
        answer = await ask(town.http, operation, right)
        assert answer.status_code not in {401, 403}, (operation.name, answer.text)


@pytest.mark.parametrize("role", Role)
async def test_each_role_may_do_what_the_table_says_and_no_more(town: Town, cast: Cast, role: Role) -> None:
    """Reading and writing alike; what is removed is named so that there is none."""
    for name in sorted(ABOUT_A_WORKSPACE):
        operation, rule = PUBLIC[name], TABLE[name]
        about = {**NAMES, "workspace": cast.mine["workspace"]}
        if "{limit}" in operation.path and operation.method == "GET":
            about["limit"] = cast.mine["limit"]
        answer = await ask(town.http, operation, cast.roles[role], about)
        assert rule.roles is not None
        if "{limit}" in operation.path and operation.method == "DELETE":
            assert answer.json()["code"] == "limit_missing"
        elif role in rule.roles:
            assert answer.status_code not in {401, 403}, (name, role, answer.text)
            assert "workspace_missing" not in answer.text, (name, role)
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "operation_denied"), (name, role)


async def test_who_is_no_enabled_member_finds_nothing(town: Town, cast: Cast) -> None:
    for name in sorted(ABOUT_A_WORKSPACE):
        for kind, token in cast.outside.items():
            answer = await ask(town.http, PUBLIC[name], token, cast.mine)
            missing = "limit_missing" if "{limit}" in PUBLIC[name].path else "workspace_missing"
            assert (answer.status_code, answer.json()["code"]) == (404, missing), (name, kind)


async def test_another_tenants_thing_is_missing_in_ones_own_workspace(town: Town, cast: Cast) -> None:
    """Every operation that names a thing within a workspace, by an owner, with the other team's thing."""
    bodies: dict[str, object] = {"change_member": {"role": "admin"}, "change_key": {"name": "mine now"}}
    bodies |= {"rotate_key": {"grace_seconds": 0}, "resend_invitation": {}}
    within = {
        name: kind
        for name in ABOUT_A_WORKSPACE
        for kind in ("key", "user", "invitation")
        if f"{{{kind}}}" in PUBLIC[name].path
    }
    assert len(within) == 7
    for name, kind in within.items():
        operation = PUBLIC[name]
        path = operation.path.format(**{**cast.mine, kind: cast.theirs[kind]})
        answer = await town.http.request(
            operation.method,
            path,
            headers={"Authorization": f"Bearer {cast.roles[Role.OWNER]}"},
            json=bodies.get(name),
        )
        missing = "member_missing" if kind == "user" else f"{kind}_missing"
        assert (answer.status_code, answer.json()["code"]) == (404, missing), name
