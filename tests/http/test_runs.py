"""A customer's program runs features, against a model that answers or does not."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from dishka import AsyncContainer

from application.features.in_flight import InFlight
from domain.ids import parse_typeid
from entrypoints import container
from entrypoints.http.app import create_app
from entrypoints.settings import ModelEndpoint, Profile, Settings
from tests.fakes.upstream import Part, Upstream, answers, hangs_up, says
from tests.shop import Caller, Seller, Shop, Tenant

ECHO = "/v1/features/echo/runs"
HELLO = {"input": {"text": "hello"}}
KEY = {"Idempotency-Key": "k1"}


async def available(customer: Caller) -> str:
    balance: str = (await customer.get("/v1/balance")).json()["available"]
    return balance


async def test_a_run_answers_and_says_what_it_cost(customer: Caller, tenant: Tenant) -> None:
    answer = await customer.post(ECHO, HELLO)
    body = answer.json()
    assert answer.status_code == 200
    assert {name: body[name] for name in ("feature", "model", "output", "available")} == {
        "feature": "echo",
        "model": "echo",
        "output": {"text": "hello"},
        "available": "999.898",
    }
    assert body["usage"]["credits"] == "0.102"
    assert body["usage"]["output_tokens"] == 4
    assert len(parse_typeid("run", body["id"], count=2)) == 2
    assert await available(customer) == "999.898"


@pytest.mark.parametrize(
    ("feature", "given"),
    [
        ("summarize", {"text": "A long text.", "sentences": 2}),
        ("extract_keywords", {"text": "A long text about keywords."}),
        (
            "match_job",
            {"profile": "I bake bread.", "jobs": [{"id": "1", "title": "Baker", "description": "Bakes."}]},
        ),
        ("review_text", {"text": "A text."}),
        ("classify", {"text": "I cannot log in.", "labels": ["billing", "account"]}),
    ],
)
async def test_every_sample_feature_runs(customer: Caller, feature: str, given: dict[str, Any]) -> None:
    offered = (await customer.get("/v1/features")).json()["items"]
    (offer,) = [each for each in offered if each["key"] == feature]
    answer = await customer.post(f"/v1/features/{feature}/runs", {"input": given})
    assert answer.status_code == 200, answer.text
    assert set(offer["output_schema"]["required"]) <= set(answer.json()["output"])


async def test_a_test_key_pays_nothing(http: httpx.AsyncClient, tenant: Tenant, customer: Caller) -> None:
    answer = await Caller(http, tenant.test).post(ECHO, HELLO)
    assert answer.json()["usage"]["credits"] == "0"
    assert await available(customer) == "1000"


async def test_input_that_breaks_the_schema_is_told_fault_by_fault(customer: Caller) -> None:
    answer = await customer.post(ECHO, {"input": {"text": 7, "more": "secret" * 100}})
    body = answer.json()
    assert (answer.status_code, body["code"]) == (422, "invalid_input")
    assert {"path": "/text", "message": 'the value is not of type "string"'} in body["faults"]
    assert "secret" not in answer.text
    assert await available(customer) == "1000"


def deep(levels: int) -> bytes:
    return b'{"input":{"text":' + b"[" * levels + b"]" * levels + b"}}"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"{}", 422),
        (b'{"input":[]}', 422),
        (b'{"input":{"text":"a"},"more":1}', 422),
        (b'{"input":{"text":"\\ud800"}}', 400),
        (b'{"input":{"text":"a"}', 400),
        (deep(200), 422),
        (deep(100_000), 400),
    ],
    ids=["nothing", "a list", "an unknown member", "a surrogate", "cut off", "deep", "very deep"],
)
async def test_a_bad_body_is_refused(
    http: httpx.AsyncClient, tenant: Tenant, content: bytes, status: int
) -> None:
    headers = {"Authorization": f"Bearer {tenant.live}", "Content-Type": "application/json"}
    answer = await http.post(ECHO, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_feature_that_is_not_there_is_missing(customer: Caller) -> None:
    answer = await customer.post("/v1/features/nothing/runs", HELLO)
    assert (answer.status_code, answer.json()["code"]) == (404, "feature_missing")


async def test_a_feature_that_the_plan_lacks_is_denied(http: httpx.AsyncClient, shop: Shop) -> None:
    tenant = await shop.tenant("personal/free")
    labels = {"input": {"text": "hello", "labels": ["a", "b"]}}
    answer = await Caller(http, tenant.live).post("/v1/features/classify/runs", labels)
    assert (answer.status_code, answer.json()["code"]) == (403, "feature_not_in_plan")


async def test_what_cannot_be_paid_is_refused_with_both_figures(http: httpx.AsyncClient, shop: Shop) -> None:
    tenant = await shop.tenant(amount="0")
    answer = await Caller(http, tenant.live).post(ECHO, HELLO)
    body = answer.json()
    assert (answer.status_code, body["code"], body["available"]) == (402, "insufficient_credits", "0")
    assert Decimal(body["needed"]) > 0


async def test_the_limits_of_the_plan_stand_in_the_headers(http: httpx.AsyncClient, shop: Shop) -> None:
    caller = Caller(http, (await shop.tenant("personal/free")).live)
    first = await caller.post(ECHO, HELLO)
    assert first.headers["ratelimit-policy"] == '"minute";q=3;w=60, "day";q=30;w=86400'
    assert '"minute";r=2' in first.headers["ratelimit"]
    for _ in range(2):
        assert (await caller.post(ECHO, HELLO)).status_code == 200
    refused = await caller.post(ECHO, HELLO)
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["retry-after"]) <= 60


async def test_a_service_key_runs_no_feature(seller: Seller) -> None:
    answer = await seller.post(ECHO, HELLO)
    assert (answer.status_code, answer.json()["code"]) == (401, "customer_key_needed")


@dataclass
class Served:
    """The same application, with a real model's service behind it."""

    customer: Caller
    upstream: Upstream
    in_flight: InFlight


@pytest.fixture
async def served(sold_database: str, tenant: Tenant) -> AsyncIterator[Served]:
    async with Upstream(usual=says('{"text": "hi"}')) as upstream:
        endpoint = ModelEndpoint(
            url=upstream.url,
            name="local",
            key="sk-secret",
            response_format="json_schema",
            max_tokens_parameter="max_completion_tokens",
        )
        settings = Settings(
            database_url=sold_database, profile=Profile.EMBEDDED, models={"default": endpoint}
        )
        services: AsyncContainer = container.build(settings)
        app: Any = create_app(services)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
            yield Served(Caller(http, tenant.live), upstream, await services.get(InFlight))
        await services.close()


async def test_a_configured_model_is_asked_and_its_figures_are_charged(served: Served) -> None:
    body = (await served.customer.post(ECHO, HELLO)).json()
    assert (body["model"], body["output"]) == ("local", {"text": "hi"})
    assert body["usage"] == {"input_tokens": 20, "output_tokens": 5, "credits": "0.1025"}
    (received,) = served.upstream.received
    assert received.headers["authorization"] == "Bearer sk-secret"
    assert received.prompt.endswith("hello")
    assert received.body["response_format"]["type"] == "json_schema"
    assert "max_completion_tokens" in received.body


async def test_an_answer_with_every_character_is_replayed_as_it_was(served: Served) -> None:
    served.upstream.script.append(says('{"text": "a\\u0000b\\ud83d\\ude00"}'))
    first = await served.customer.post(ECHO, HELLO, headers=KEY)
    again = await served.customer.post(ECHO, HELLO, headers=KEY)
    assert first.json()["output"] == {"text": "a\0b\U0001f600"}
    assert again.content == first.content


SECRET = b'{"error": {"message": "the prompt of sk-secret was bad"}}'


@pytest.mark.parametrize(
    ("part", "status", "code"),
    [
        pytest.param(answers(SECRET, status=400), 502, "upstream_failed", id="refuses the request"),
        pytest.param(answers(b"<html>"), 502, "upstream_failed", id="sends rubbish"),
        pytest.param(says("Sure! Here it is"), 502, "upstream_output_invalid", id="sends no JSON"),
        pytest.param(says('{"txt": 1}'), 502, "upstream_output_invalid", id="breaks the schema"),
        pytest.param(says('{"te', finish_reason="length"), 502, "upstream_output_truncated", id="is cut off"),
        pytest.param(says(None, refusal="No."), 502, "upstream_refused", id="declines"),
    ],
)
async def test_a_model_that_goes_wrong_costs_nothing(
    served: Served, part: Part, status: int, code: str
) -> None:
    served.upstream.script.append(part)
    answer = await served.customer.post(ECHO, HELLO, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert "sk-secret" not in answer.text
    assert await available(served.customer) == "1000"
    again = await served.customer.post(ECHO, HELLO, headers=KEY)
    assert again.json() == answer.json()
    assert len(served.upstream.received) == 1


async def test_a_connection_that_breaks_is_tried_again(served: Served) -> None:
    served.upstream.script.append(hangs_up)
    assert (await served.customer.post(ECHO, HELLO)).status_code == 200
    assert len(served.upstream.received) == 2


async def test_who_hangs_up_is_charged_and_may_ask_again(served: Served) -> None:
    go_on = asyncio.Event()

    async def late(*given: Any) -> None:  # noqa: ANN401 - what a part is given
        await go_on.wait()
        await says('{"text": "late"}')(*given)

    served.upstream.script.append(late)
    caller = asyncio.create_task(served.customer.post(ECHO, HELLO, headers=KEY))
    await served.upstream.arrived.wait()
    in_progress = await served.customer.post(ECHO, HELLO, headers=KEY)
    assert (in_progress.status_code, in_progress.json()["code"]) == (409, "request_in_progress")
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go_on.set()
    await served.in_flight.drain(30)
    assert await available(served.customer) == "999.8975"
    again = await served.customer.post(ECHO, HELLO, headers=KEY)
    assert (again.json()["output"], again.headers["idempotency-replayed"]) == ({"text": "late"}, "true")


async def test_many_at_once_are_each_charged_once(served: Served) -> None:
    answered = await asyncio.gather(*(served.customer.post(ECHO, HELLO) for _ in range(40)))
    assert {each.status_code for each in answered} == {200}
    assert Decimal(await available(served.customer)) == 1000 - 40 * Decimal("0.1025")
