"""A subscription becomes another: as it was previewed, or not at all."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.fakes.stripe import subscriptions
from tests.fakes.stripe_server import Fault


async def preview(till: Till, **wanted: object) -> dict[str, Any]:
    answer = await till.ask("POST", "/subscriptions/api/preview", wanted)
    assert answer.status_code == 201, answer.text
    quote: dict[str, Any] = answer.json()
    return quote


async def change(till: Till, quote: dict[str, Any]) -> dict[str, Any]:
    answer = await till.ask("POST", "/subscriptions/api/change", {"quote": quote["id"]})
    assert answer.status_code == 200, answer.text
    stands: dict[str, Any] = answer.json()
    return stands


def invoices(till: Till) -> list[tuple[str, int]]:
    return [(each["status"], each["total"]) for each in till.there.state.all("invoice")]


async def paying_team(till: Till) -> None:
    """Of the smaller plan, its trial over, and a third of the month gone."""
    await till.subscribe("team")
    till.there.advance(days=14, seconds=60)
    till.there.advance(days=10)
    await till.hear()


async def test_an_upgrade_costs_what_was_told_and_brings_the_difference(till: Till) -> None:
    await paying_team(till)
    till.there.state.offset = 0
    [subscription] = till.there.state.all("subscription")
    item = subscription["items"]["data"][0]
    length = item["current_period_end"] - item["current_period_start"]
    item["current_period_start"] = till.there.state.now - length // 3  # as if the clocks had gone on together
    item["current_period_end"] = item["current_period_start"] + length
    before = len(invoices(till))
    quote = await preview(till, plan="scale")
    assert (quote["when"], quote["monthly"], quote["extra_seats"]) == ("now", "499.00", 0)
    assert len(invoices(till)) == before
    back, more = quote["proration"]
    assert (back["kind"], back["plan"], more["plan"]) == ("plan", "team", "scale")
    assert float(back["amount"]) < 0 < float(more["amount"])
    assert f"{float(back['amount']) + float(more['amount']):.2f}" == quote["due"]
    ends = datetime.fromtimestamp(item["current_period_end"], UTC)
    assert datetime.fromisoformat(more["ends_at"]) == ends
    stands = await change(till, quote)
    assert (stands["plan"], stands["status"]) == ("scale", "active")
    status, total = invoices(till)[-1]
    assert (status, f"{total / 100:.2f}") == ("paid", quote["due"])
    gained = sum(each.granted for each in await till.lots()) - 2 * 25_000_000_000
    told = float(quote["credits_after"]) - float(quote["credits_before"])
    assert gained / 1_000_000 == pytest.approx(told)
    assert told == pytest.approx((300_000 - 25_000) * 2 / 3, rel=0.01)
    assert await change(till, quote) == stands
    await till.hear()
    assert len(invoices(till)) == before + 1
    assert sum(each.granted for each in await till.lots()) == gained + 2 * 25_000_000_000
    await till.is_in_order()


async def test_a_downgrade_is_made_when_the_period_ends(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    quote = await preview(till, plan="team")
    assert (quote["when"], quote["due"], quote["monthly"]) == ("period_end", "0.00", "49.00")
    assert quote["credits_before"] == quote["credits_after"]
    assert (quote["proration"], quote["next_invoice"]["total"]) == ([], "49.00")
    stands = await change(till, quote)
    assert (stands["plan"], stands["next_plan"]) == ("scale", "team")
    assert await change(till, quote) == stands
    follow = {"product": "api", "plan": "team", "version": 1, "extra_seats": 0}
    assert (await till.shown())["next_plan"] == follow
    till.there.advance(days=32)
    await till.hear()
    shown = await till.shown()
    assert (shown["plan"], shown["next_plan"]) == ("team", None)
    assert await till.credits() == [("allocation", "300000"), ("allocation", "25000")]
    assert invoices(till)[-1] == ("paid", 4900)
    await till.is_in_order()


async def test_a_downgrade_can_be_taken_back(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    await change(till, await preview(till, plan="team"))
    answer = await till.ask("POST", "/subscriptions/api/resume")
    assert answer.status_code == 200, answer.text
    stands = answer.json()
    assert (stands["next_plan"], stands["cancel_at"]) == (None, None)
    till.there.advance(days=32)
    await till.hear()
    assert (await till.shown())["plan"] == "scale"


async def test_seats_are_bought_at_once_and_given_up_at_the_end(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    quote = await preview(till, seats=105)
    assert (quote["when"], quote["monthly"], quote["credits_before"]) == (
        "now",
        "539.00",
        quote["credits_after"],
    )
    assert (await change(till, quote))["extra_seats"] == 5
    assert await till.sql("SELECT seats FROM workspace WHERE kind = 'team'") == [{"seats": 105}]
    fewer = await preview(till, seats=102)
    assert fewer["when"] == "period_end"
    await change(till, fewer)
    assert await till.sql("SELECT seats FROM workspace WHERE kind = 'team'") == [{"seats": 105}]
    till.there.advance(days=32)
    await till.hear()
    assert await till.sql("SELECT seats FROM workspace WHERE kind = 'team'") == [{"seats": 102}]
    assert invoices(till)[-1] == ("paid", 51_500)
    await till.is_in_order()


async def test_what_is_not_paid_is_not_changed(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    quote = await preview(till, seats=105)
    card(till.there, "0341")
    refused = await till.ask("POST", "/subscriptions/api/change", {"quote": quote["id"]})
    assert (refused.status_code, refused.json()["code"]) == (402, "payment_declined")
    assert ((await till.shown())["extra_seats"], len(invoices(till))) == (0, 1)


async def test_a_change_whose_answer_was_lost_is_made_once(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    quote = await preview(till, seats=105)
    till.there.faults.append(Fault(0, path="/v1/subscriptions/", method="POST", after=True, times=3))
    lost = await till.ask("POST", "/subscriptions/api/change", {"quote": quote["id"]})
    assert (lost.status_code, lost.json()["code"]) == (503, "payments_unavailable")
    till.there.faults.clear()
    assert (await change(till, quote))["extra_seats"] == 5
    await till.hear()
    assert len(invoices(till)) == 2
    await till.is_in_order()


async def test_a_preview_is_for_the_subscription_as_it_was(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    first, second = await preview(till, seats=105), await preview(till, seats=110)
    await change(till, first)
    late = await till.ask("POST", "/subscriptions/api/change", {"quote": second["id"]})
    assert (late.status_code, late.json()["code"]) == (409, "quote_over")
    other = await till.ask("POST", "/subscriptions/api/change", {"quote": "quo_" + "0" * 52})
    assert (other.status_code, other.json()["code"]) == (409, "quote_over")


async def test_it_is_cancelled_at_the_end_or_now(till: Till) -> None:
    await till.subscribe("scale")
    await till.hear()
    ends = (await till.ask("POST", "/subscriptions/api/cancel", {})).json()
    assert ends["cancel_at"] == ends["period_end"]
    assert (await preview(till, seats=105))["next_invoice"] is None
    assert (await till.ask("POST", "/subscriptions/api/resume")).json()["cancel_at"] is None
    over = (await till.ask("POST", "/subscriptions/api/cancel", {"now": True})).json()
    assert over["status"] == "canceled"
    shown = await till.shown()
    assert (shown["plan"], shown["status"]) == ("free", None)
    assert await till.credits() == [("allocation", "300000")]
    gone = await till.ask("POST", "/subscriptions/api/cancel", {})
    assert (gone.status_code, gone.json()["code"]) == (404, "not_subscribed")
    await till.hear()
    await till.is_in_order()


async def paused(till: Till) -> None:
    id = await till.subscribe("scale")
    await till.hear()
    with till.there.changing():
        state = till.there.state
        subscriptions.put_change(state, state.get("subscription", id), status="paused")
    await till.hear()
    assert ((await till.shown())["plan"], (await till.shown())["status"]) == ("free", "paused")


async def test_a_paused_one_is_resumed_with_a_new_period(till: Till) -> None:
    await paused(till)
    again = await till.ask("POST", "/subscriptions", {"product": "api", "plan": "scale"})
    assert (again.status_code, again.json()["code"]) == (409, "already_subscribed")
    none = await till.ask("POST", "/subscriptions/api/preview", {"seats": 105})
    assert (none.status_code, none.json()["code"]) == (404, "not_subscribed")
    stands = (await till.ask("POST", "/subscriptions/api/resume")).json()
    assert (stands["status"], stands["plan"]) == ("active", "scale")
    await till.hear()
    assert await till.credits() == [("allocation", "300000")] * 2
    assert [each["status"] for each in till.there.state.all("invoice")] == ["paid", "paid"]
    await till.is_in_order()


async def test_a_paused_one_that_cannot_pay_stays_so_and_can_be_cancelled(till: Till) -> None:
    await paused(till)
    card(till.there, "0341")
    assert (await till.ask("POST", "/subscriptions/api/resume")).json()["status"] == "paused"
    over = (await till.ask("POST", "/subscriptions/api/cancel", {})).json()
    assert (over["status"], over["cancel_at"]) == ("canceled", None)
    await till.hear()
    assert await till.credits() == [("allocation", "300000")]
    assert (await till.shown())["status"] is None
