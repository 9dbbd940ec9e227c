"""A second factor over HTTP, with an app as people have one."""

import asyncio
from typing import Any

import pyotp
import pytest

from tests.http.test_identity import GOOD, NEW, Town, town

__all__ = ["town"]
PATH = "/v1/me/second-factor"


@pytest.fixture
async def secured(town: Town) -> tuple[str, pyotp.TOTP, list[str]]:
    """An access token, an app, and recovery codes."""
    token = (await town.resident())["access_token"]
    enrolled = await town.post(PATH, token, password=GOOD)
    assert enrolled.status_code == 201
    app: Any = pyotp.parse_uri(enrolled.json()["uri"])
    assert app.secret == enrolled.json()["secret"]
    enabled = await town.post(f"{PATH}/enable", token, code=app.now())
    assert enabled.status_code == 200, enabled.text
    return token, app, enabled.json()["recovery_codes"]


async def sign_in(town: Town, **more: str) -> tuple[int, str | None]:
    answer = await town.post("/v1/auth/sign-in", email=town.ada, password=GOOD, **more)
    return answer.status_code, answer.json().get("code")


async def test_signing_in_asks_for_it(town: Town, secured: tuple[str, pyotp.TOTP, list[str]]) -> None:
    token, app, codes = secured
    assert await sign_in(town) == (401, "second_factor_needed")
    assert await sign_in(town, code="no such code") == (401, "second_factor_refused")
    assert await sign_in(town, code=app.now()) == (401, "second_factor_refused"), "it was used to turn it on"
    wrong = await town.post("/v1/auth/sign-in", email=town.ada, password=NEW, code=codes[1])
    assert wrong.json()["code"] == "sign_in_refused"
    assert await sign_in(town, code=codes[0]) == (200, None)
    assert town.mail()[0] == "A recovery code was used"
    assert await sign_in(town, code=codes[0]) == (401, "second_factor_refused")
    me = (await town.get("/v1/me", token)).json()
    assert (me["second_factor"], me["recovery_codes_left"]) == (True, 9)


async def test_of_many_who_use_one_code_at_once_one_gets_in(
    town: Town, secured: tuple[str, pyotp.TOTP, list[str]]
) -> None:
    _, _, codes = secured
    answers = await asyncio.gather(*(sign_in(town, code=codes[0]) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 401, 401, 401]


async def test_it_is_turned_off(town: Town, secured: tuple[str, pyotp.TOTP, list[str]]) -> None:
    token, _, codes = secured
    on = await town.post(PATH, token, password=GOOD)
    assert (on.status_code, on.json()["code"]) == (409, "second_factor_on")
    renewed = await town.post(f"{PATH}/recovery-codes", token, password=GOOD, code=codes[0])
    fresh = renewed.json()["recovery_codes"]
    wrong = await town.post(f"{PATH}/disable", token, password=NEW, code=fresh[0])
    assert wrong.json()["code"] == "password_refused"
    assert (await town.post(f"{PATH}/disable", token, password=GOOD, code=fresh[0])).status_code == 204
    assert await sign_in(town) == (200, None)
    off = await town.post(f"{PATH}/disable", token, password=GOOD, code=fresh[1])
    assert (off.status_code, off.json()["code"]) == (409, "second_factor_off")


async def test_guessing_codes_is_slowed_down(town: Town, secured: tuple[str, pyotp.TOTP, list[str]]) -> None:
    token, _, _ = secured
    statuses = []
    for _ in range(11):
        answer = await town.post(f"{PATH}/enable", token, code="000000")
        statuses.append(answer.status_code)
    assert statuses[-1] == 429
    assert 0 < int(answer.headers["Retry-After"]) <= 900


async def test_a_new_password_takes_no_second_factor_away(
    town: Town, secured: tuple[str, pyotp.TOTP, list[str]]
) -> None:
    _, _, codes = secured
    await town.post("/v1/auth/password-reset", email=town.ada)
    body = {"email": town.ada, "code": town.mail()[1], "password": NEW}
    assert (await town.post("/v1/auth/password-reset/confirm", **body)).status_code == 204
    given = {"email": town.ada, "password": NEW}
    needed = await town.post("/v1/auth/sign-in", **given)
    assert needed.json()["code"] == "second_factor_needed"
    assert (await town.post("/v1/auth/sign-in", **given, code=codes[0])).status_code == 200
