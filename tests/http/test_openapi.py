"""The document says everything, and is in order; the page that shows it needs nothing from elsewhere."""

import re
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31

from entrypoints.http.reference import marked
from tests.http.document import DOCUMENT, OPERATIONS, Operation, resolved

SERVICE, CUSTOMER, PERSON = "service_key", "customer_key", "access_token"
READ, WRITE = {401, 403, 404, 422}, {400, 401, 403, 404, 413, 415, 422}
"""What every operation on a workspace refuses with."""
ENDPOINTS = {
    "GET /health/live": (None, {200}),
    "GET /health/ready": (None, {200, 503}),
    "GET /metrics": (None, {200}),
    "POST /v1/reservations": (SERVICE, {201, 400, 401, 402, 403, 404, 413, 415, 422, 429}),
    "GET /v1/reservations/{reservation}": (SERVICE, {200, 401, 404, 422}),
    "POST /v1/reservations/{reservation}/start": (SERVICE, {200, 400, 401, 404, 409, 413, 415, 422}),
    "POST /v1/reservations/{reservation}/commit": (SERVICE, {200, 400, 401, 404, 409, 413, 415, 422}),
    "POST /v1/reservations/{reservation}/release": (SERVICE, {200, 400, 401, 404, 409, 413, 415, 422}),
    "POST /v1/reservations/{reservation}/extend": (
        SERVICE,
        {200, 400, 401, 402, 403, 404, 409, 413, 415, 422},
    ),
    "GET /v1/balance": (CUSTOMER, {200, 401, 403, 422}),
    "GET /v1/features": (CUSTOMER, {200, 401, 403, 422}),
    "POST /v1/auth/sign-up": (None, {202, 400, 413, 415, 422, 429}),
    "POST /v1/auth/confirm": (None, {200, 400, 413, 415, 422, 429}),
    "POST /v1/auth/resend": (None, {202, 400, 413, 415, 422, 429}),
    "POST /v1/auth/sign-in": (None, {200, 400, 401, 413, 415, 422, 429}),
    "POST /v1/auth/refresh": (None, {200, 400, 401, 413, 415, 422}),
    "POST /v1/auth/password-reset": (None, {202, 400, 413, 415, 422, 429}),
    "POST /v1/auth/password-reset/confirm": (None, {204, 400, 413, 415, 422, 429}),
    "POST /v1/auth/sign-out": (PERSON, {204, 400, 401, 404, 413, 415, 422}),
    "POST /v1/auth/elsewhere/{provider}": (None, {200, 400, 404, 413, 415, 422, 429}),
    "POST /v1/auth/elsewhere/{provider}/finish": (
        None,
        {200, 400, 401, 403, 404, 413, 415, 422, 429, 502},
    ),
    "GET /v1/me/identities": (PERSON, {200, 401, 422}),
    "DELETE /v1/me/identities/{provider}": (PERSON, {204, 401, 404, 409, 422}),
    "GET /v1/me": (PERSON, {200, 401, 404, 422}),
    "PATCH /v1/me": (PERSON, {200, 400, 401, 404, 413, 415, 422}),
    "GET /v1/me/export": (PERSON, {200, 401, 404, 422}),
    "POST /v1/me/deletion": (PERSON, {202, 400, 401, 403, 404, 409, 413, 415, 422, 429}),
    "DELETE /v1/me/deletion": (PERSON, {204, 401, 404, 409, 422, 429}),
    "POST /v1/me/password": (PERSON, {204, 400, 401, 404, 413, 415, 422, 429}),
    "POST /v1/me/second-factor": (PERSON, {201, 400, 401, 404, 409, 413, 415, 422, 429}),
    "POST /v1/me/second-factor/enable": (PERSON, {200, 400, 401, 404, 409, 413, 415, 422, 429}),
    "POST /v1/me/second-factor/disable": (PERSON, {204, 400, 401, 404, 409, 413, 415, 422, 429}),
    "POST /v1/me/second-factor/recovery-codes": (PERSON, {200, 400, 401, 404, 409, 413, 415, 422, 429}),
    "GET /v1/me/sessions": (PERSON, {200, 401, 422}),
    "DELETE /v1/me/sessions": (PERSON, {204, 401, 422}),
    "DELETE /v1/me/sessions/{session}": (PERSON, {204, 401, 404, 422}),
    "POST /v1/workspaces": (PERSON, {201, 400, 401, 409, 413, 415, 422, 429}),
    "GET /v1/workspaces": (PERSON, {200, 401, 422}),
    "PATCH /v1/workspaces/{workspace}": (PERSON, {200, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/deletion": (PERSON, {200, 409, *WRITE}),
    "GET /v1/workspaces/{workspace}/members": (PERSON, {200, *READ}),
    "DELETE /v1/workspaces/{workspace}/members/{user}": (PERSON, {204, 409, *READ}),
    "PATCH /v1/workspaces/{workspace}/members/{user}": (
        PERSON,
        {200, 409, *WRITE},
    ),
    "POST /v1/workspaces/{workspace}/leave": (PERSON, {204, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/transfer": (PERSON, {204, 409, *WRITE}),
    "GET /v1/workspaces/{workspace}/invitations": (PERSON, {200, *READ}),
    "POST /v1/workspaces/{workspace}/invitations": (
        PERSON,
        {201, 409, 429, *WRITE},
    ),
    "POST /v1/workspaces/{workspace}/invitations/{invitation}/resend": (
        PERSON,
        {200, 409, 429, *WRITE},
    ),
    "DELETE /v1/workspaces/{workspace}/invitations/{invitation}": (PERSON, {204, *READ}),
    "POST /v1/invitations/accept": (PERSON, {200, 400, 401, 404, 409, 413, 415, 422}),
    "PATCH /v1/workspaces/{workspace}/keys/{key}": (PERSON, {200, *WRITE}),
    "GET /v1/workspaces/{workspace}/limits": (PERSON, {200, *READ}),
    "POST /v1/workspaces/{workspace}/limits": (PERSON, {200, *WRITE}),
    "DELETE /v1/limits/{limit}": (PERSON, {204, *READ}),
    "GET /v1/limits/{limit}/shadow": (PERSON, {200, *READ}),
    "GET /v1/workspaces/{workspace}/audit-log": (PERSON, {200, *READ}),
    "GET /v1/workspaces/{workspace}/audit-log/export": (PERSON, {200, *READ}),
    "GET /v1/workspaces/{workspace}": (PERSON, {200, *READ}),
    "POST /v1/workspaces/{workspace}/keys": (PERSON, {201, *WRITE}),
    "GET /v1/workspaces/{workspace}/keys": (PERSON, {200, *READ}),
    "POST /v1/workspaces/{workspace}/keys/{key}/rotate": (
        PERSON,
        {200, *WRITE},
    ),
    "DELETE /v1/workspaces/{workspace}/keys/{key}": (PERSON, {200, *READ}),
    "GET /.well-known/jwks.json": (None, {200}),
    "GET /v1/usage": (CUSTOMER, {200, 401, 403, 422}),
    "GET /v1/usage/records": (CUSTOMER, {200, 401, 403, 422}),
    "POST /v1/features/{feature}/runs": (
        CUSTOMER,
        {200, 202, 400, 401, 402, 403, 404, 409, 413, 415, 422, 429, 502, 504},
    ),
    "POST /v1/features/{feature}/batches": (
        CUSTOMER,
        {202, 400, 401, 402, 403, 404, 413, 415, 422, 429},
    ),
    "GET /v1/batches/{batch}": (CUSTOMER, {200, 401, 403, 404, 422}),
    "GET /v1/runs": (CUSTOMER, {200, 401, 403, 422}),
    "GET /v1/runs/{run}": (CUSTOMER, {200, 401, 403, 404, 422}),
    "DELETE /v1/runs/{run}": (CUSTOMER, {204, 401, 403, 404, 409, 422}),
    "GET /v1/operator/dead-letters": (PERSON, {200, 401, 403, 422}),
    "GET /v1/operator/dead-letters/{consumer}/{event}": (PERSON, {200, 401, 403, 404, 422}),
    "DELETE /v1/operator/dead-letters/{consumer}/{event}": (PERSON, {204, 401, 403, 404, 422}),
    "POST /v1/operator/dead-letters/{consumer}/{event}/replay": (
        PERSON,
        {200, 400, 401, 403, 404, 413, 415, 422},
    ),
    "POST /v1/operator/dead-letters/replay": (PERSON, {200, 400, 401, 403, 413, 415, 422}),
    "GET /v1/plans": (None, {200}),
    "GET /v1/workspaces/{workspace}/subscriptions": (PERSON, {200, *READ}),
    "GET /v1/workspaces/{workspace}/invoices": (PERSON, {200, *READ}),
    "POST /v1/workspaces/{workspace}/subscriptions": (PERSON, {201, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/top-ups": (PERSON, {201, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/billing-portal": (PERSON, {200, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/subscriptions/{product}/preview": (PERSON, {201, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/subscriptions/{product}/change": (PERSON, {200, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/subscriptions/{product}/cancel": (PERSON, {200, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/subscriptions/{product}/resume": (PERSON, {200, 402, 409, *WRITE}),
    "POST /v1/workspaces/{workspace}/auto-top-ups": (PERSON, {200, *WRITE}),
    "GET /v1/workspaces/{workspace}/auto-top-ups": (PERSON, {200, *READ}),
    "DELETE /v1/workspaces/{workspace}/auto-top-ups/{product}": (PERSON, {204, *READ}),
    "POST /v1/webhooks/stripe": (None, {200, 400, 401, 413, 415, 422}),
    "POST /v1/webhooks/brevo": ("webhook_token", {204, 400, 401, 413, 415, 422}),
    "DELETE /v1/runs/{run}/result": (CUSTOMER, {204, 401, 403, 404, 409, 422}),
}
IN_V1 = [each for each in OPERATIONS if each.path.startswith("/v1/")]


def named(name: str) -> Operation:
    return next(each for each in OPERATIONS if each.name == name)


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1.")
    jsonschema_rs.Draft202012Validator(OPENAPI_31).validate(DOCUMENT)


def test_every_form_in_it_is_a_json_schema() -> None:
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema_rs.Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def test_every_endpoint_is_in_it_and_no_other() -> None:
    assert {each.name for each in OPERATIONS} == set(ENDPOINTS)
    ids = [each.spec["operationId"] for each in OPERATIONS]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ENDPOINTS)
def test_each_endpoint_tells_its_key_and_its_answers(name: str) -> None:
    key, statuses = ENDPOINTS[name]
    operation = named(name)
    assert operation.scheme == key
    always = {500, 503} if operation in IN_V1 or "well-known" in name else set()
    assert statuses | always <= operation.statuses <= statuses | always | {400}  # Litestar adds 400 to some
    assert operation.spec.get("description") or operation.spec["summary"]
    (tag,) = operation.spec["tags"]
    assert tag in {each["name"] for each in DOCUMENT["tags"]}


@pytest.mark.parametrize("operation", IN_V1, ids=lambda each: each.name)
def test_each_refusal_is_a_problem_and_names_its_codes(operation: Operation) -> None:
    for status, answer in operation.spec["responses"].items():
        if int(status) < 400 or not answer.get("content"):
            continue
        (kind,) = answer["content"]
        if kind != "application/problem+json":
            assert status == "400"  # Litestar's own, for parameters, which the edge answers with 422
            continue
        form = resolved(answer["content"][kind]["schema"])
        assert set(form["required"]) == {"type", "title", "status", "detail", "code"}
        assert re.search(r": `[a-z_]+`(, `[a-z_]+`)*$", answer["description"])


def test_both_kinds_of_keys_are_described() -> None:
    schemes = DOCUMENT["components"]["securitySchemes"]
    assert {name: (each["type"], each["scheme"]) for name, each in schemes.items()} == {
        SERVICE: ("http", "bearer"),
        PERSON: ("http", "bearer"),
        CUSTOMER: ("http", "bearer"),
        "webhook_token": ("http", "bearer"),
    }


@pytest.mark.parametrize(
    ("name", "required"), [("POST /v1/reservations", True), ("POST /v1/features/{feature}/runs", False)]
)
def test_what_charges_anew_takes_an_idempotency_key(name: str, required: bool) -> None:  # noqa: FBT001
    headers = {each["name"]: each["required"] for each in named(name).parameters("header")}
    assert set(headers.items()) >= {("Idempotency-Key", required), ("CueBX-Simulate", False)}
    for status, answer in named(name).spec["responses"].items():
        if status.startswith("2"):
            assert set(answer["headers"]) == {"Idempotency-Replayed", "RateLimit", "RateLimit-Policy"}


def test_amounts_are_decimal_strings() -> None:
    forms = DOCUMENT["components"]["schemas"]
    amounts = {"held", "available", "charged", "uncollected", "cost", "granted", "free", "spent", "overdrawn"}
    found = 0
    for form in forms.values():
        for member, schema in form.get("properties", {}).items():
            if member in amounts:
                found += 1
                assert (schema["type"], schema["pattern"]) == ("string", r"^-?[0-9]+(\.[0-9]{1,6})?$")
    assert found > 20


async def served(http: httpx.AsyncClient, path: str) -> httpx.Response:
    answer = await http.get(path)
    assert answer.status_code == 200
    return answer


async def test_it_is_served_as_it_is_written(http: httpx.AsyncClient) -> None:
    answer: Any = msgspec.json.decode((await served(http, "/docs/openapi.json")).content)
    assert answer == DOCUMENT


async def test_its_page_shows_every_endpoint_code_and_form(http: httpx.AsyncClient) -> None:
    answer = await served(http, "/docs")
    assert answer.headers["content-type"].startswith("text/html")
    for operation in OPERATIONS:
        assert f"<code>{operation.path}</code>" in answer.text
        assert f'id="{operation.spec["operationId"]}"' in answer.text
    for name in DOCUMENT["components"]["schemas"]:
        assert f'id="{name}"' in answer.text
    assert "<code>insufficient_credits</code>" in answer.text
    assert "900 unless said" in answer.text


async def test_its_page_needs_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    text = (await served(http, "/docs")).text
    assert "<script" not in text
    assert "src=" not in text
    assert "url(" not in text
    links = set(re.findall(r'href="([^"]*)"', text))
    assert links
    anchors = set(re.findall(r'id="([^"]*)"', text))
    assert {link for link in links if link.removeprefix("#") not in anchors} == {"/docs/openapi.json"}


def test_what_the_page_quotes_is_escaped() -> None:
    assert marked("`<b>` & more\n\nthen") == "<code>&lt;b&gt;</code> &amp; more<br>then"
