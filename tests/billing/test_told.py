"""What Stripe tells: checked, kept once, and looked at there."""

import json
import time
from itertools import permutations

import pytest

from tests.billing.conftest import HOOK, Till
from tests.fakes.stripe.webhooks import signature
from tests.fakes.stripe_server import WEBHOOK_SECRET, Fault

EVENT = {
    "id": "evt_1",
    "object": "event",
    "type": "customer.created",
    "created": 1,
    "data": {"object": {"id": "cus_1", "object": "customer"}},
}


async def test_an_event_is_kept_once(till: Till) -> None:
    assert (await till.told(EVENT)).json() == {"new": True}
    assert (await till.told(EVENT)).json() == {"new": False}
    assert [row["id"] for row in await till.sql("SELECT id FROM stripe_event")] == ["evt_1"]
    assert await till.sql("SELECT 1 FROM outbox WHERE kind = 'billing.told'") == []


@pytest.mark.parametrize("seconds", [-600, 600])
async def test_an_old_signature_is_refused(till: Till, seconds: int) -> None:
    answer = await till.told(EVENT, at=int(time.time()) + seconds)
    assert (answer.status_code, answer.json()["code"]) == (401, "signature_refused")
    assert await till.sql("SELECT id FROM stripe_event") == []


async def test_a_wrong_or_missing_signature_is_refused(till: Till) -> None:
    assert (await till.told(EVENT, secret="whsec_other")).status_code == 401  # noqa: S106 - a wrong one
    body = json.dumps(EVENT).encode()
    signed = signature(body, WEBHOOK_SECRET, int(time.time()))
    for header in ("", "t=1", "v1=1", "t=x,v1=y", "t=,v1=", signed.replace("v1", "v0"), "é"):
        headers = {"Stripe-Signature": header.encode("latin-1"), "Content-Type": "application/json"}
        answer = await till.http.post(HOOK, content=body, headers=headers)  # type: ignore[arg-type] # bytes do
        assert answer.status_code == 401, header
    changed = body.replace(b"cus_1", b"cus_2")
    headers_ = {"Stripe-Signature": signed, "Content-Type": "application/json"}
    assert (await till.http.post(HOOK, content=changed, headers=headers_)).status_code == 401


async def test_events_in_any_order_and_doubled_come_to_the_same(till: Till) -> None:
    await till.subscribe("scale")
    events = [each for each in till.there.events() if "customer.created" not in each["type"]]
    for order in list(permutations(events[-4:]))[::5]:
        await till.hear([*order, *order, *events])
    assert await till.credits() == [("allocation", "300000")]
    assert (await till.shown())["plan"] == "scale"
    await till.is_in_order()


async def test_nothing_is_lost_while_stripe_is_away(till: Till) -> None:
    await till.subscribe("scale")
    till.there.faults.append(Fault(503, times=1000))
    await till.hear()
    assert (await till.credits(), (await till.shown())["plan"]) == ([], "free")
    till.there.faults.clear()
    await till.overdue()
    assert (await till.credits(), (await till.shown())["plan"]) == ([("allocation", "300000")], "scale")
    await till.is_in_order()
