"""How what goes wrong becomes an answer."""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, ClassVar

import httpx
import pytest
from litestar import Litestar, get
from litestar.params import FromPath, FromQuery

from domain import errors as families
from domain.errors import DatabaseUnavailable, DomainError
from domain.usage.errors import InsufficientCredits
from domain.usage.limits import Limit, RateLimited, Standing
from entrypoints.http.problems import HANDLERS, STATUS, Refusal, invalid, status_of
from tests.http.logs import Stream, logging_to

FAMILIES = {
    families.Unauthenticated: 401,
    families.Unaffordable: 402,
    families.Denied: 403,
    families.Missing: 404,
    families.Conflict: 409,
    families.Invalid: 422,
    families.Limited: 429,
    families.UpstreamFailed: 502,
    families.Unavailable: 503,
    families.UpstreamLate: 504,
}
LATE = RateLimited.of((Standing(Limit("minute", 3, 60), remaining=0, reset=7),))


async def answered(error: Exception) -> httpx.Response:
    """What somebody gets who meets ``error``."""

    @get("/")
    async def fail() -> None:
        raise error

    app: Any = Litestar([fail], exception_handlers=HANDLERS, openapi_config=None, logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        return await client.get("/")


def test_every_family_of_errors_has_its_status() -> None:
    assert {family: int(status) for family, status in STATUS.items()} == FAMILIES
    known = {each for each in DomainError.__subclasses__() if each.__module__ == "domain.errors"}
    assert known == set(FAMILIES)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
async def test_an_error_is_told_by_its_code_and_its_facts(family: type[DomainError]) -> None:
    @dataclass(eq=False)
    class Broken(family):  # type: ignore[valid-type, misc] # each family in turn
        code: ClassVar[str] = "broken"
        part: str

        def __str__(self) -> str:
            return f"the {self.part} is broken"

    answer = await answered(Broken("wheel"))
    assert answer.status_code == FAMILIES[family] == status_of(Broken)
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body.pop("title")
    assert body == {
        "type": "https://errors.cuebx.dev/broken",
        "status": FAMILIES[family],
        "detail": "the wheel is broken",
        "code": "broken",
        "part": "wheel",
    }


async def test_credits_are_told_as_decimal_strings() -> None:
    body = (await answered(InsufficientCredits(needed=12_500_000, available=1))).json()
    assert (body["needed"], body["available"]) == ("12.5", "0.000001")
    assert body["title"] == "Payment Required"
    assert body["detail"] == "the call may cost 12.5 credits, and 0.000001 are available"


async def test_who_is_not_known_is_told_how_to_ask() -> None:
    class Nobody(families.Unauthenticated):
        code: ClassVar[str] = "nobody"

    assert (await answered(Nobody())).headers["www-authenticate"] == "Bearer"


async def test_who_is_limited_is_told_when_to_come_back() -> None:
    answer = await answered(LATE)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["ratelimit"] == '"minute";r=0;t=7'
    assert (answer.json()["limit"], answer.json()["retry_after"]) == ("minute", 7)
    assert "standings" not in answer.json()


async def test_without_the_database_somebody_is_told_to_try_again() -> None:
    answer = await answered(DatabaseUnavailable())
    assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "1"


async def test_a_refusal_of_the_edge_is_a_problem_too() -> None:
    answer = await answered(invalid("say more"))
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert answer.json()["detail"] == "say more"
    answer = await answered(Refusal(HTTPStatus(413), "body_too_large", "less", {"X-Limit": "1"}))
    assert (answer.status_code, answer.headers["x-limit"]) == (413, "1")


async def test_a_bug_is_told_without_its_inside_and_logged_with_it() -> None:
    with logging_to(stream := Stream()):
        answer = await answered(RuntimeError("the secret is hunter2"))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert answer.headers["content-type"] == "application/problem+json"
    assert "hunter2" not in answer.text
    (line,) = stream.lines
    assert line["level"] == "error"
    assert "hunter2" in line["exception"]


async def test_a_path_that_leads_nowhere_is_a_problem(http: httpx.AsyncClient) -> None:
    for path in ("/", "/v1", "/v1/reservation", "/v1/reservations/a/b/c"):
        answer = await http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/reservations", {"POST", "OPTIONS"}),
        ("DELETE", "/v1/reservations", {"POST", "OPTIONS"}),
        ("POST", "/v1/balance", {"GET", "OPTIONS"}),
        ("PUT", "/v1/reservations/a/commit", {"POST", "OPTIONS"}),
        ("PATCH", "/v1/reservations/a", {"GET", "OPTIONS"}),
    ],
)
async def test_a_wrong_method_is_told_the_right_ones(
    http: httpx.AsyncClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = await http.request(method, path)
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == allowed


@get("/{count:int}")
async def typed(count: FromPath[int], much: FromQuery[float]) -> str:
    return f"{count} {much}"


async def test_a_parameter_of_the_wrong_form_is_named() -> None:
    app: Any = Litestar([typed], exception_handlers=HANDLERS, openapi_config=None, logging_config=None)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/1", params={"much": "lots"})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "invalid_request")
    (fault,) = body["faults"]
    assert fault["at"] == "much"
    assert body["detail"] == f"much: {fault['message']}"
