"""Calls that go on while money comes, changes or stays away: what they hold is settled as always."""

from typing import Any
from uuid import uuid4

import httpx

from application.actor import Operator
from application.keys.keys import CreateKey
from domain.keys.key import KeyKind
from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.billing.test_change import change, preview
from tests.fakes.stripe_server import Fault

ESTIMATE = {"input_tokens": 1000, "max_output_tokens": 300}
USAGE = {"input_tokens": 900, "output_tokens": 200}
CHARGED = 1_520_000


class Calls:
    """Of the seller's service, for the team."""

    def __init__(self, till: Till) -> None:
        self.till = till

    async def open(self) -> "Calls":
        create = await self.till.services.get(CreateKey)
        live = await create(Operator(), KeyKind.LIVE, name="a test's", account=self.till.account)
        service = await create(Operator(), KeyKind.SERVICE, name="a test's")
        self.live, self.headers = live.text, {"Authorization": f"Bearer {service.text}"}
        return self

    async def reserve(self) -> httpx.Response:
        body = {"api_key": self.live, "feature": "summarize", "estimate": ESTIMATE}
        headers = {**self.headers, "Idempotency-Key": uuid4().hex}
        return await self.till.http.post("/v1/reservations", json=body, headers=headers)

    async def begin(self) -> str:
        answer = await self.reserve()
        assert answer.status_code == 201, answer.text
        id: str = answer.json()["id"]
        assert (await self._post(id, "start")).status_code == 200
        return id

    async def commit(self, id: str) -> dict[str, Any]:
        answer = await self._post(id, "commit", {"usage": USAGE})
        assert answer.status_code == 200, answer.text
        settled: dict[str, Any] = answer.json()
        return settled

    async def _post(self, id: str, what: str, body: object = None) -> httpx.Response:
        url = f"/v1/reservations/{id}/{what}"
        return await self.till.http.post(url, json=body, headers=self.headers)


async def spent(till: Till) -> list[int]:
    """Of each lot that was paid for, in the order in which they begin."""
    return [each.spent for each in await till.lots()]


async def test_a_hold_that_is_open_across_a_renewal_is_charged_to_what_it_held(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    calls = await Calls(till).open()
    id = await calls.begin()
    till.there.advance(days=31)
    await till.hear()
    assert (await calls.commit(id))["charged"] == "1.52"
    assert await spent(till) == [CHARGED, 0]
    await till.is_in_order()


async def test_a_hold_that_is_open_across_an_upgrade_is_charged_to_what_it_held(till: Till) -> None:
    await till.subscribe("team")
    await till.hear()
    calls = await Calls(till).open()
    id = await calls.begin()
    await change(till, await preview(till, plan="scale", seats=100))
    await till.hear()
    assert (await till.shown())["plan"] == "scale"
    assert (await calls.commit(id))["charged"] == "1.52"
    assert await spent(till) == [CHARGED]
    await till.is_in_order()


async def test_a_hold_that_is_open_when_nothing_can_be_spent_any_more_is_charged(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    calls = await Calls(till).open()
    id = await calls.begin()
    card(till.there, "0341")
    till.there.advance(days=32)
    await till.hear()
    await till.change("UPDATE account SET freezes_at = now() WHERE freezes_at IS NOT NULL")
    refused = await calls.reserve()
    assert (refused.status_code, refused.json()["code"]) == (403, "payment_overdue")
    assert (await calls.commit(id))["charged"] == "1.52"
    assert await spent(till) == [CHARGED]
    card(till.there, "4242")
    till.there.advance(days=4)
    await till.hear()
    assert (await calls.reserve()).status_code == 201
    await till.is_in_order()


async def test_who_has_paid_goes_on_while_stripe_is_away(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    calls = await Calls(till).open()
    till.there.faults.append(Fault(503, times=1000))
    till.there.advance(days=31)
    await till.hear()
    assert (await calls.commit(await calls.begin()))["charged"] == "1.52"
    asked = await till.ask("POST", "/subscriptions/api/preview", {"seats": 105})
    assert (asked.status_code, asked.json()["code"]) == (503, "payments_unavailable")
    assert asked.headers["Retry-After"] == "5"
    till.there.faults.clear()
    await till.overdue()
    assert await spent(till) == [CHARGED, 0]
    await till.is_in_order()
