"""A test key sees the refusals that a live key might."""

import pytest

from tests.shop import Caller, Seller, Tenant

ECHO = "/v1/features/echo/runs"
HELLO = {"input": {"text": "hello"}}


def asking(what: str) -> dict[str, str]:
    return {"CueBX-Simulate": what}


@pytest.fixture
def program(customer: Caller, tenant: Tenant) -> Caller:
    return Caller(customer.http, tenant.test)


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("insufficient_credits", 402, "insufficient_credits"),
        ("rate_limited", 429, "rate_limited"),
        ("upstream_error", 502, "upstream_failed"),
    ],
)
async def test_a_run_is_refused_as_asked(program: Caller, what: str, status: int, code: str) -> None:
    answer = await program.post(ECHO, HELLO, headers=asking(what))
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 429)
    assert (await program.post(ECHO, HELLO)).status_code == 200
    assert (await program.get("/v1/balance")).json()["held"] == "0"


async def test_the_refusal_says_what_the_call_would_have_needed(program: Caller) -> None:
    refusal = (await program.post(ECHO, HELLO, headers=asking("insufficient_credits"))).json()
    assert refusal["available"] == "0"
    assert float(refusal["needed"]) > 0


@pytest.mark.parametrize(("what", "status"), [("insufficient_credits", 402), ("rate_limited", 429)])
async def test_a_reservation_is_refused_as_asked(
    seller: Seller, tenant: Tenant, what: str, status: int
) -> None:
    body = {"api_key": tenant.test, "feature": "echo", "estimate": {"input_tokens": 10}}
    headers = {"Idempotency-Key": what, **asking(what)}
    answer = await seller.post("/v1/reservations", body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (status, what)
    assert (await seller.reserve(tenant, request=what, api_key=tenant.test)).status_code == 201


async def test_a_reservation_has_no_upstream(seller: Seller, tenant: Tenant) -> None:
    body = {"api_key": tenant.test, "feature": "echo", "estimate": {}}
    headers = {"Idempotency-Key": "up", **asking("upstream_error")}
    answer = await seller.post("/v1/reservations", body, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "simulation_refused")


async def test_a_live_key_simulates_nothing(customer: Caller) -> None:
    answer = await customer.post(ECHO, HELLO, headers=asking("rate_limited"))
    assert (answer.status_code, answer.json()["code"]) == (422, "simulation_refused")


async def test_what_cannot_be_simulated_is_told(program: Caller) -> None:
    answer = await program.post(ECHO, HELLO, headers=asking("an earthquake"))
    assert (answer.status_code, answer.json()["code"]) == (400, "simulation_unknown")
    assert "insufficient_credits" in answer.json()["detail"]
