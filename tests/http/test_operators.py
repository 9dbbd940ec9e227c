"""What an operator does over HTTP, and what the mail service tells."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from dishka import AsyncContainer

from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.notifications.suppressions import Suppressions
from domain.events import DeadLetter, EventId
from domain.ids import event_text
from tests.shop import WEBHOOK_TOKEN, Somebody

PATH = "/v1/operator/dead-letters"


@pytest.fixture
async def olga(services: AsyncContainer) -> dict[str, str]:
    somebody = await Somebody.on(services, f"{uuid4().hex}@example.org", operator=True)
    return {"Authorization": f"Bearer {somebody.tokens.access}"}


@pytest.fixture
async def kind(services: AsyncContainer) -> str:
    """Of three messages that ended as dead letters."""
    kind = f"a.happened-{uuid4().hex}".translate(str.maketrans("0123456789", "ghijklmnop"))
    at = datetime.now(UTC) - timedelta(minutes=5)
    async with (await services.get(SqlUnitOfWork))() as tx:
        for nth, body in enumerate(('{"a": 1}', "no JSON", "{}")):
            letter = DeadLetter(
                consumer="mail",
                id=EventId(uuid4()),
                kind=kind,
                version=1,
                workspace=None,
                occurred_at=at,
                body=body,
                reason="mail_refused",
                attempts=1,
                died_at=at + timedelta(seconds=nth),
            )
            await tx.dead_letters.add(letter)
    return kind


async def listed(http: httpx.AsyncClient, olga: dict[str, str], **query: str | int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page = (await http.get(PATH, params=query, headers=olga)).json()
        found += page["items"]
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def test_dead_letters_are_paged_and_shown(
    http: httpx.AsyncClient, olga: dict[str, str], kind: str
) -> None:
    rows = await listed(http, olga, kind=kind, limit=2)
    assert [(each["kind"], each["consumer"], each["reason"]) for each in rows] == [
        (kind, "mail", "mail_refused")
    ] * 3
    assert await listed(http, olga, kind=kind, consumer="runs") == []
    bodies = [(await http.get(f"{PATH}/mail/{each['id']}", headers=olga)).json()["body"] for each in rows]
    assert bodies == [{"a": 1}, "no JSON", {}]


async def test_one_is_replayed_one_discarded_and_the_rest_replayed(
    http: httpx.AsyncClient, olga: dict[str, str], kind: str
) -> None:
    first, second, _ = await listed(http, olga, kind=kind)
    replayed = await http.post(f"{PATH}/mail/{first['id']}/replay", headers=olga)
    assert (replayed.status_code, replayed.json()) == (200, first)
    assert (await http.delete(f"{PATH}/mail/{second['id']}", headers=olga)).status_code == 204
    for each in (first, second):
        gone = await http.get(f"{PATH}/mail/{each['id']}", headers=olga)
        assert (gone.status_code, gone.json()["code"]) == (404, "dead_letter_missing")
    rest = await http.post(f"{PATH}/replay", headers=olga, json={"kind": kind})
    assert rest.json() == {"replayed": 1}
    assert await listed(http, olga, kind=kind) == []


@pytest.mark.parametrize("cursor", ["nonsense", "AAAA", "8J-SqQ"])
async def test_a_cursor_that_was_not_given_here_is_refused(
    http: httpx.AsyncClient, olga: dict[str, str], cursor: str
) -> None:
    answer = await http.get(PATH, params={"cursor": cursor}, headers=olga)
    assert answer.status_code == 422
    assert (await http.get(f"{PATH}/mail/{event_text(uuid4())[:-1]}", headers=olga)).status_code == 422


async def test_an_address_that_bounces_gets_no_more_mail(
    http: httpx.AsyncClient, services: AsyncContainer
) -> None:
    suppressions = await services.get(Suppressions)
    for event, stops in (("delivered", False), ("hard_bounce", True)):
        address = f"{uuid4().hex}@Example.org"
        body = {"event": event, "email": address, "id": 7, "ts_event": 1795512600, "tags": ["confirm"]}
        answer = await http.post(
            "/v1/webhooks/brevo", json=body, headers={"Authorization": f"Bearer {WEBHOOK_TOKEN}"}
        )
        assert answer.status_code == 204
        assert await suppressions.has(address.lower()) is stops
