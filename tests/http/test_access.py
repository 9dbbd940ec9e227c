"""The table of who may do what, against everything that can be done."""

import re
from pathlib import Path

import httpx
import pytest
from dishka import AsyncContainer

import entrypoints.cli
from application.access import TABLE, Credential
from tests.http.document import OPERATIONS, Operation
from tests.http.test_identity import Town, town
from tests.shop import Shop

__all__ = ["town"]
SCHEME = {
    Credential.SERVICE_KEY: "service_key",
    Credential.CUSTOMER_KEY: "customer_key",
    Credential.ACCESS_TOKEN: "access_token",
}
PUBLIC = {each.spec["operationId"]: each for each in OPERATIONS}
IDS = {"workspace": "ws_" + "0" * 26, "key": "key_" + "0" * 26, "session": "ses_" + "0" * 26}
IDS |= {"reservation": "rsv_" + "0" * 52, "feature": "echo"}


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


@pytest.fixture
async def credentials(town: Town, services: AsyncContainer, shop: Shop) -> dict[str, str]:
    tenant = await shop.tenant()
    tokens = await town.resident()
    return {
        "service_key": (await shop.service_key()).text,
        "customer_key": tenant.live,
        "access_token": tokens["access_token"],
        "nothing": "",
        "nonsense": "nonsense",
        "mistyped": tenant.live[:-1] + "!",
    }


async def test_no_other_kind_of_credential_opens_anything(town: Town, credentials: dict[str, str]) -> None:
    for operation in PUBLIC.values():
        if operation.scheme is None:
            continue
        for kind, text in credentials.items():
            if kind == operation.scheme:
                continue
            answer = await ask(town.http, operation, text)
            assert answer.status_code in {401, 403}, (operation.name, kind, answer.text)


async def test_the_right_kind_gets_further(town: Town, credentials: dict[str, str]) -> None:
    """Not to what is somebody else's, or is not there: that is missing, whatever it is."""
    for name, operation in PUBLIC.items():
        if operation.scheme is None or name == "sign_out":
            continue
        answer = await ask(town.http, operation, credentials[operation.scheme])
        assert answer.status_code not in {401, 403}, (operation.name, answer.text)
        if "{workspace}" in operation.path:
            assert answer.json()["code"] == "workspace_missing"


async def ask(http: httpx.AsyncClient, operation: Operation, credential: str) -> httpx.Response:
    headers = {"Authorization": f"Bearer {credential}"} if credential else {}
    return await http.request(operation.method, operation.path.format(**IDS), headers=headers)
