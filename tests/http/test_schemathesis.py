"""A fuzzer goes by the OpenAPI document: no 5xx, no status, header or body that it does not tell."""

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.conftest import TEMPLATE, renamed, run_sql
from tests.http.document import DOCUMENT, OPERATIONS
from tests.http.running import Running, credential_of, running

BY_NAME = {each.name: each for each in OPERATIONS}
schema = schemathesis.openapi.from_dict(
    DOCUMENT,
    config=schemathesis.Config.from_dict(
        {
            "generation": {
                "with-security-parameters": False,  # the right key is always sent
                "allow-extra-parameters": False,  # they are ignored, as the document does not forbid them
            }
        }
    ),
)


@pytest.fixture(scope="module")
def server(embedded_server: str) -> Iterator[Running]:
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    with running(renamed(embedded_server, name)) as server:
        yield server


@schema.given(known=st.booleans())
@schema.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_document_is_true(case: Case[Any], server: Running, known: bool) -> None:  # noqa: FBT001 - it is drawn
    if known and case.meta is not None and case.meta.generation.mode is GenerationMode.POSITIVE:
        name_what_exists(case, server)
    credential = credential_of(server, BY_NAME[f"{case.operation.method.upper()} {case.operation.path}"])
    case.call_and_validate(
        base_url=server.url,
        headers={} if credential is None else {"Authorization": f"Bearer {credential}"},
        # An id of the right form may name nothing, and two optional fields may exclude each other.
        excluded_checks=[positive_data_acceptance],
    )


def name_what_exists(case: Case[Any], server: Running) -> None:
    """So that requests get further than to what does not exist."""
    if "reservation" in case.path_parameters:
        case.path_parameters["reservation"] = reserve(server)
    if "feature" in case.path_parameters:
        case.path_parameters["feature"] = "echo"
        case.body = {"input": {"text": "hello"}}
    if isinstance(case.body, dict) and "feature" in case.body:
        case.body.pop("api_key", None)
        case.body |= {"feature": "echo", "account_id": server.mine.account_id}


def reserve(server: Running) -> str:
    answer = httpx.post(
        f"{server.url}/v1/reservations",
        headers={"Authorization": f"Bearer {server.mine.service_key}", "Idempotency-Key": uuid4().hex},
        json={"account_id": server.mine.account_id, "feature": "echo", "estimate": {"input_tokens": 9}},
    )
    id: str = answer.raise_for_status().json()["id"]
    return id
