"""Runs that a worker runs later, over HTTP. The worker's part is done step by step."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dishka import AsyncContainer

from application.usage.ports import Ledger
from domain.ids import parse_run
from domain.usage.queue import BeginRun, EndRun, KeepRun, failure
from tests.post_office import deliver
from tests.shop import Caller, Shop, Tenant

ECHO = "/v1/features/echo/runs"
BATCH = "/v1/features/echo/batches"
HELLO = {"input": {"text": "hello"}}
ASYNC = {"Prefer": "respond-async"}


async def balance(customer: Caller) -> tuple[str, str]:
    """What is available and what is held."""
    body = (await customer.get("/v1/balance")).json()
    return body["available"], body["held"]


async def queued(customer: Caller, body: object = HELLO, **headers: str) -> dict[str, Any]:
    answer = await customer.post(ECHO, body, headers={**ASYNC, **headers})
    assert answer.status_code == 202, answer.text
    run: dict[str, Any] = answer.json()
    assert answer.headers["Location"] == f"/v1/runs/{run['id']}"
    return run


async def look(customer: Caller, id: str) -> dict[str, Any]:
    run: dict[str, Any] = (await customer.get(f"/v1/runs/{id}")).json()
    return run


async def delete(customer: Caller, path: str) -> httpx.Response:
    return await customer.http.delete(path, headers={"Authorization": f"Bearer {customer.key}"})


@pytest.mark.parametrize("headers", [ASYNC, {"Prefer": 'wait=5, Respond-Async; a="b"'}, {}])
async def test_credits_are_held_when_it_is_queued_and_charged_when_it_has_run(
    customer: Caller, services: AsyncContainer, headers: dict[str, str]
) -> None:
    body = HELLO if headers else {**HELLO, "mode": "queued"}
    answer = await customer.post(ECHO, body, headers=headers)
    assert (answer.status_code, answer.headers["Preference-Applied"]) == (202, "respond-async")
    run = answer.json()
    assert (run["state"], run["output"], run["charged"], run["attempts"]) == ("queued", None, "0", 0)
    available, held = await balance(customer)
    assert (float(available) + float(held), float(held) > 0) == (1000, True)
    await deliver(services)
    done = await look(customer, run["id"])
    assert (done["state"], done["output"], done["model"]) == ("done", {"text": "hello"}, "echo")
    assert (done["charged"], done["attempts"]) == ("0.102", 1)
    assert done["usage"]["output_tokens"] == 4
    assert await balance(customer) == ("999.898", "0")
    await deliver(services)
    assert await look(customer, run["id"]) == done


async def test_one_that_runs_shows_how_far_it_is(customer: Caller, services: AsyncContainer) -> None:
    run = await queued(customer)
    account, id = parse_run(run["id"])
    ledger, worker = await services.get(Ledger), uuid4()
    assert run["progress"] is None
    await ledger.execute(BeginRun(account=account, run=id, worker=worker, lasts=timedelta(minutes=1)))
    assert (await look(customer, run["id"]))["progress"] == {"output_tokens": 0}
    await ledger.execute(KeepRun(account=account, run=id, worker=worker, output_tokens=31))
    assert (await look(customer, run["id"]))["progress"] == {"output_tokens": 31}
    await ledger.execute(EndRun(account=account, run=id, worker=worker, outcome=failure("x", "y")))
    assert (await look(customer, run["id"]))["progress"] is None


async def test_a_repeat_gets_the_same_run(customer: Caller, services: AsyncContainer) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await queued(customer, **key)
    again = await customer.post(ECHO, HELLO, headers={**ASYNC, **key})
    assert (again.status_code, again.headers["Idempotency-Replayed"]) == (202, "true")
    assert again.json() == first
    await deliver(services)
    assert (await customer.post(ECHO, HELLO, headers={**ASYNC, **key})).json()["state"] == "done"
    for body, headers in (({"input": {"text": "other"}}, ASYNC), (HELLO, {})):
        other = await customer.post(ECHO, body, headers={**headers, **key})
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await balance(customer) == ("999.898", "0")


async def test_twins_at_once_are_one_run(customer: Caller, services: AsyncContainer) -> None:
    runs = await asyncio.gather(*(queued(customer, **{"Idempotency-Key": "twins"}) for _ in range(8)))
    assert len({run["id"] for run in runs}) == 1
    await deliver(services)
    assert await balance(customer) == ("999.898", "0")


async def test_it_is_cancelled_and_nothing_is_charged(customer: Caller, services: AsyncContainer) -> None:
    run = await queued(customer)
    for _ in range(2):
        assert (await delete(customer, f"/v1/runs/{run['id']}")).status_code == 204
    assert await balance(customer) == ("1000", "0")
    await deliver(services)
    assert (await look(customer, run["id"]))["state"] == "cancelled"
    assert await balance(customer) == ("1000", "0")


async def test_what_has_ended_is_not_cancelled_but_can_be_deleted(
    customer: Caller, services: AsyncContainer
) -> None:
    run = await queued(customer)
    early = await delete(customer, f"/v1/runs/{run['id']}/result")
    assert (early.status_code, early.json()["code"]) == (409, "run_not_ended")
    await deliver(services)
    late = await delete(customer, f"/v1/runs/{run['id']}")
    assert (late.status_code, late.json()["code"]) == (409, "run_ended")
    assert (await delete(customer, f"/v1/runs/{run['id']}/result")).status_code == 204
    assert (await customer.get(f"/v1/runs/{run['id']}")).json()["code"] == "run_missing"
    assert await balance(customer) == ("999.898", "0")


async def test_a_run_that_fails_charges_nothing_and_says_why(
    http: httpx.AsyncClient, tenant: Tenant, services: AsyncContainer
) -> None:
    customer = Caller(http, tenant.test)
    run = await queued(customer, **{"CueBX-Simulate": "upstream_error"})
    await deliver(services)
    failed = await look(customer, run["id"])
    assert (failed["state"], failed["error"]["code"], failed["charged"]) == ("failed", "upstream_failed", "0")


async def test_another_tenants_runs_are_not_there(
    customer: Caller, shop: Shop, http: httpx.AsyncClient
) -> None:
    run = await queued(customer)
    batch = (await customer.post(BATCH, {"inputs": [{"text": "a"}]})).json()
    other = Caller(http, (await shop.tenant()).live)
    for answer in (
        await other.get(f"/v1/runs/{run['id']}"),
        await other.get(f"/v1/batches/{batch['id']}"),
        await delete(other, f"/v1/runs/{run['id']}"),
        await delete(other, f"/v1/runs/{run['id']}/result"),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "run_missing")
    assert (await other.get("/v1/runs")).json() == {"items": [], "next_cursor": None}
    assert (await other.get("/v1/runs", batch=batch["id"])).status_code == 422
    assert (await look(customer, run["id"]))["state"] == "queued"


async def test_they_are_paged_and_narrowed(customer: Caller, services: AsyncContainer) -> None:
    first = [(await queued(customer))["id"] for _ in range(3)]
    await deliver(services)
    waiting = [(await queued(customer))["id"] for _ in range(2)]
    other = (
        await customer.post("/v1/features/summarize/runs", {"input": {"text": "A text."}}, headers=ASYNC)
    ).json()["id"]
    found: list[str] = []
    query: dict[str, str | int] = {"limit": 2}
    while True:
        page = (await customer.get("/v1/runs", **query)).json()
        found += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert found == [other, *reversed(waiting), *reversed(first)]

    async def narrowed(**wanted: str) -> list[str]:
        answer = (await customer.get("/v1/runs", **wanted)).json()
        return [each["id"] for each in answer["items"]]

    assert await narrowed(state="done") == list(reversed(first))
    assert await narrowed(feature="summarize") == [other]
    assert await narrowed(feature="summarize", state="done") == []
    assert await narrowed(to="2020-01-01") == []
    assert len(await narrowed(**{"from": "2020-01-01"})) == 6


async def test_a_batch_is_queued_whole_and_its_progress_is_watched(
    customer: Caller, services: AsyncContainer
) -> None:
    inputs = [{"text": f"text {number}"} for number in range(30)]
    answer = await customer.post(BATCH, {"inputs": inputs}, headers={"Idempotency-Key": "b"})
    batch = answer.json()
    assert (answer.status_code, batch["total"], batch["queued"]) == (202, 30, 30)
    assert answer.headers["Location"] == f"/v1/batches/{batch['id']}"
    again = await customer.post(BATCH, {"inputs": inputs}, headers={"Idempotency-Key": "b"})
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (batch, "true")
    await deliver(services)
    done = (await customer.get(f"/v1/batches/{batch['id']}")).json()
    assert (done["done"], done["queued"], done["failed"]) == (30, 0, 0)
    page = (await customer.get("/v1/runs", batch=batch["id"], limit=200)).json()["items"]
    outputs = Counter([(await look(customer, each["id"]))["output"]["text"] for each in page])
    assert outputs == Counter(each["text"] for each in inputs)
    assert float((await balance(customer))[0]) == pytest.approx(1000 - float(done["charged"]))


async def test_a_batch_that_is_not_affordable_or_not_right_holds_nothing(
    shop: Shop, http: httpx.AsyncClient
) -> None:
    customer = Caller(http, (await shop.tenant(amount="1")).live)
    inputs: list[dict[str, object]] = [{"text": "t"}] * 500
    refused = await customer.post(BATCH, {"inputs": inputs})
    assert (refused.status_code, refused.json()["code"]) == (402, "insufficient_credits")
    wrong = await customer.post(BATCH, {"inputs": [*inputs[:3], {"text": 7}]})
    assert (wrong.status_code, wrong.json()["faults"][0]["path"]) == (422, "/3/text")
    for size in (0, 1001):
        assert (await customer.post(BATCH, {"inputs": [{"text": "t"}] * size})).status_code == 422
    assert await balance(customer) == ("1", "0")
    assert (await customer.get("/v1/runs")).json()["items"] == []


async def test_what_is_not_there_is_told(customer: Caller) -> None:
    missing = await customer.post("/v1/features/nothing/runs", HELLO, headers=ASYNC)
    assert (missing.status_code, missing.json()["code"]) == (404, "feature_missing")
    for path in (f"/v1/runs/{uuid4()}", "/v1/batches/bat_1"):
        assert (await customer.get(path)).json()["code"] == "malformed_id"
