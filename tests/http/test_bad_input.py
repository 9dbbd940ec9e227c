"""Whatever is sent, to whatever the document names: a problem that names the fault, and nothing changed.

The operations come from the OpenAPI document, so a new one is covered as soon as it is there.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any
from uuid import uuid4

import httpx
import jsonschema_rs
import pytest
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.base import Base
from adapters.postgres.engine import make_engine
from domain.ids import ReservationId, parse_account, parse_reservation, reservation_text
from entrypoints.http.bodies import LARGEST_BODY
from tests.conftest import TEMPLATE, renamed, run_sql
from tests.http.document import CONTROL, LONG, METHODS, NUL, OPERATIONS, SURROGATE, Operation
from tests.http.running import Running, running
from tests.http.sender import Sender

WITH_BODY = [each for each in OPERATIONS if each.body is not None]
WITH_PATH = [each for each in OPERATIONS if each.parameters("path")]
WITH_QUERY = [each for each in OPERATIONS if each.parameters("query")]
WITH_HEADER = [each for each in OPERATIONS if each.parameters("header")]
SECURED = [each for each in OPERATIONS if each.scheme]
NOT_JSON = [
    b"", b" ", b"{", b"nope", b"'a'", b"\xff\xfe", b"\xef\xbb\xbf{}", b"{} {}", b'{"a":1,}', b'{"a":NaN}',
    b"{a:1}", b"[" * 100_000, b'{"a":' * 100_000, b'"\0"', b'{"\\ud800": 1}', b'{"a": "\xed\xa0\x80"}',
]  # fmt: skip


def each(operations: list[Operation]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("operation", operations, ids=lambda each: each.name)


@pytest.fixture(scope="module")
def server(embedded_server: str) -> Iterator[Running]:
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    with running(renamed(embedded_server, name)) as server:
        yield server


@pytest.fixture(scope="module")
async def sender(server: Running) -> AsyncIterator[Sender]:
    async with httpx.AsyncClient(base_url=server.url, timeout=30) as client:
        yield Sender(server, client)


@pytest.fixture
async def caller(sender: Sender) -> Sender:
    """With a reservation of its own."""
    (reserve,) = (each for each in OPERATIONS if each.name == "POST /v1/reservations")
    sender.good["reservation"] = (await sender.send(reserve)).json()["id"]
    return sender


@pytest.fixture(scope="module")
async def engine(server: Running) -> AsyncIterator[AsyncEngine]:
    engine = make_engine(server.database)
    yield engine
    await engine.dispose()


@pytest.fixture
async def unchanged(caller: Sender, engine: AsyncEngine) -> AsyncIterator[Sender]:
    """Afterwards nothing in the database is changed, and each request has left one line and no more."""
    await caller.lines()
    before, sent = await contents(engine), caller.sent
    yield caller
    assert await contents(engine) == before
    lines = await caller.lines()
    assert len(lines) == caller.sent
    assert {line["event"] for line in lines[sent:]} <= {"request"}


async def contents(engine: AsyncEngine) -> list[tuple[str, int, int]]:
    """Of every table: how many rows, and a sum over what is in them but for when keys were last used."""
    content = "coalesce(sum(hashtext((to_jsonb(t) - 'last_used_at')::text)), 0)"
    tables = [
        f"SELECT '{each.name}', count(*), {content} FROM {each.name} t"  # noqa: S608
        for each in Base.metadata.sorted_tables
    ]
    async with engine.connect() as connection:
        found = await connection.execute(sa.text(" UNION ALL ".join(tables)))
        return sorted((name, count, digest) for name, count, digest in found)


NEEDS_MORE = {
    *("confirm_email", "sign_in", "refresh_session", "reset_password", "end_session"),
    *("accept_invitation", "revoke_invitation", "transfer_ownership", "remove_member", "leave_workspace"),
    *("delete_workspace", "remove_limit"),
    *("subscribe", "buy_credits", "open_portal", "stripe_webhook"),
    *("preview_change", "change_subscription", "cancel_subscription", "resume_subscription"),
    "remove_auto_top_up",
    *("begin_elsewhere", "finish_elsewhere", "unlink_identity"),
    *("request_deletion", "cancel_deletion"),
    *("read_run", "read_batch", "cancel_run", "erase_run"),
    *("show_dead_letter", "replay_dead_letter", "discard_dead_letter"),
    *("enable_second_factor", "disable_second_factor", "renew_recovery_codes"),
}
"""A code from a mail, a token that was not used, a thing that only they need: their own tests have these."""


@each([each for each in OPERATIONS if each.spec["operationId"] not in NEEDS_MORE])
async def test_a_right_request_is_not_refused(caller: Sender, operation: Operation) -> None:
    answer = await caller.send(operation)
    assert answer.status_code in operation.statuses & {200, 201, 202, 204}, answer.text


@each(WITH_BODY)
async def test_a_body_that_the_document_forbids(unchanged: Sender, operation: Operation) -> None:
    right = unchanged.right(operation)
    assert operation.allows(right)
    for wrong in operation.wrong(right):
        if operation.allows(wrong):  # what others send us may hold more than we read
            continue
        await unchanged.is_refused(operation, 400, 422, body=json.dumps(wrong).encode())


@each(WITH_BODY)
async def test_a_body_that_is_no_json(unchanged: Sender, operation: Operation) -> None:
    for body in NOT_JSON:
        await unchanged.is_refused(operation, 400, 422, body=body)


@each(WITH_BODY)
async def test_a_body_that_is_too_large(unchanged: Sender, operation: Operation) -> None:
    right = json.dumps(unchanged.right(operation)).encode()
    too_large = right + b" " * (LARGEST_BODY + 1 - len(right))

    async def in_parts() -> AsyncIterator[bytes]:
        for at in range(0, len(too_large), 65_536):
            yield too_large[at : at + 65_536]

    await unchanged.is_refused(operation, 413, body=too_large)
    await unchanged.is_refused(operation, 413, body=in_parts())


@each(WITH_BODY)
async def test_a_body_of_another_type(unchanged: Sender, operation: Operation) -> None:
    for kind in (
        None,
        "",
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "application/jsonx",
        LONG,
    ):
        await unchanged.is_refused(operation, 415, headers={"Content-Type": kind})


@each(OPERATIONS)
async def test_another_method(unchanged: Sender, operation: Operation) -> None:
    known = {other.method for other in OPERATIONS if other.path == operation.path}
    for method in {*METHODS, "BREW"} - known:
        answer = await unchanged.is_refused(operation, 405, method=method)
        assert known <= set(answer.headers["allow"].replace(" ", "").split(","))


@each(WITH_PATH)
async def test_an_id_of_another_form(unchanged: Sender, operation: Operation) -> None:
    good = unchanged.good
    wrong = [
        "x",
        "0",
        "-1",
        "null",
        LONG,
        "rsv_",
        good["reservation"][:-1],
        good["reservation"] + "0",
        good["account_id"],
    ]
    wrong += [
        "rsv_" + "z" * 52,
        "%00",
        "a%00b",
        "%1f",
        "%ff",
        "%ed%a0%80",
        "%F0%9F%92%A9",
        "..%2f..",
        "%2e%2e",
    ]
    for text in wrong:
        names = {each["name"]: text for each in operation.parameters("path")}
        await unchanged.is_refused(operation, 400, 404, 422, path=operation.path.format(**names))


@each([each for each in WITH_PATH if "{reservation}" in each.path])
async def test_an_id_of_nothing_or_of_somebody_else(unchanged: Sender, operation: Operation) -> None:
    account, mine = parse_reservation(unchanged.good["reservation"])
    other = parse_account(unchanged.server.other.account_id)
    for id in (reservation_text(account, ReservationId(uuid4())), reservation_text(other, mine)):
        await unchanged.is_refused(operation, 404, path=operation.path.format(reservation=id))


@each(WITH_QUERY)
async def test_a_query_of_the_wrong_form(unchanged: Sender, operation: Operation) -> None:
    path = operation.path.format(**unchanged.good)
    for parameter in operation.parameters("query"):
        for text in (LONG, NUL, CONTROL, "-1", "9" * 40, "nope", "1e400", "\U0001f4a9"):
            if narrows(parameter, text):
                continue
            await unchanged.is_refused(operation, 400, 422, params={parameter["name"]: text})
        await unchanged.is_refused(operation, 400, 422, path=f"{path}?{parameter['name']}=%ff%00")


def narrows(parameter: Mapping[str, Any], text: str) -> bool:
    """Whether ``text`` has the form that the document gives: it names nothing, and is not wrong."""
    return "pattern" in json.dumps(parameter["schema"]) and jsonschema_rs.is_valid(parameter["schema"], text)


READ = [each for each in OPERATIONS if each.method == "GET" and each.path.startswith("/v1/")]


@each(READ)
async def test_a_query_parameter_that_nobody_reads(unchanged: Sender, operation: Operation) -> None:
    await unchanged.is_refused(operation, 422, params={"nobody_reads_this": "1"})


@each(WITH_QUERY)
async def test_a_query_parameter_given_twice(unchanged: Sender, operation: Operation) -> None:
    name = operation.parameters("query")[0]["name"]
    twice = f"{name}=2026-11-01&{name}=2026-11-02"
    await unchanged.is_refused(operation, 422, path=f"{operation.path.format(**unchanged.good)}?{twice}")


@each(WITH_HEADER)
async def test_a_header_of_the_wrong_form(unchanged: Sender, operation: Operation) -> None:
    for parameter in operation.parameters("header"):
        wrong: list[str | bytes] = ["", LONG, '"', '"a', 'a"b', "a b", "ü", b"\xff"]
        if parameter["name"] == "Prefer":  # what is not known there is ignored (RFC 7240, section 2)
            continue
        refused = (401,) if parameter["name"] == "Stripe-Signature" else (400, 422)
        for value in [*wrong, None] if parameter.get("required") else wrong:
            await unchanged.is_refused(operation, *refused, headers={parameter["name"]: value})


@each(SECURED)
async def test_a_credential_that_opens_nothing(unchanged: Sender, operation: Operation) -> None:
    mine = unchanged.server.mine
    right, foreign = mine.live_key, mine.service_key
    if operation.scheme != "customer_key":
        right, foreign = foreign, right
    typo = right[:12] + ("a" if right[12] != "a" else "b") + right[13:]
    wrong: list[str | bytes | None] = [
        None,
        "",
        "Bearer",
        f"Basic {right}",
        right,
        f"Bearer {LONG}",
        f"Bearer {typo}",
    ]
    wrong += [
        f"Bearer {right}x",
        f"Bearer {right[:-1]}",
        f"Bearer {right} {right}",
        b"Bearer \xff",
        f"Bearer {foreign}",
    ]
    for value in wrong:
        await unchanged.is_refused(operation, 401, 403, headers={"Authorization": value})


@pytest.mark.parametrize(
    "text", [NUL, CONTROL, SURROGATE, "\U0001f4a9\u202e", "{{ 7 * 7 }}", "{% raw %}", LONG * 100]
)
async def test_odd_text_in_a_features_own_input(caller: Sender, text: str) -> None:
    """It may be refused; what is taken is answered, and answered the same when it is asked for again."""
    run = next(each for each in OPERATIONS if each.path.endswith("/runs"))
    body = json.dumps({"input": {"text": text}}).encode()
    headers: dict[str, str | bytes | None] = {"Idempotency-Key": uuid4().hex}
    first = await caller.send(run, body=body, headers=headers)
    again = await caller.send(run, body=body, headers=headers)
    assert first.status_code in {200, 400, 422}, first.text
    assert (again.status_code, again.json()) == (first.status_code, first.json())


async def test_a_path_that_leads_nowhere(unchanged: Sender) -> None:
    for path in (
        "/",
        "/v1",
        "/v2/reservations",
        "/v1/reservations/",
        "/%00",
        "/v1/" + LONG,
        "/../etc/passwd",
    ):
        await unchanged.is_refused(OPERATIONS[0], 404, 405, path=path)
