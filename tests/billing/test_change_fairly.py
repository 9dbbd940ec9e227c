"""Changes that compete, that are cut off, or that would be a bargain: at the price told, or not at all."""

import asyncio
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.billing.test_change import preview
from tests.fakes.stripe import schedules, subscriptions
from tests.fakes.stripe.wire import Params
from tests.shop import Somebody


async def make(till: Till, quote: dict[str, Any]) -> httpx.Response:
    return await till.ask("POST", "/subscriptions/api/change", {"quote": quote["id"]})


async def made(till: Till, quote: dict[str, Any]) -> dict[str, Any]:
    answer = await make(till, quote)
    assert answer.status_code == 200, answer.text
    await till.hear()
    stands: dict[str, Any] = answer.json()
    return stands


async def refused(till: Till, quote: dict[str, Any]) -> str:
    answer = await make(till, quote)
    assert answer.is_client_error, answer.text
    return str(answer.json()["code"])


async def subscribed(till: Till, plan: str = "scale", **more: object) -> str:
    id = await till.subscribe(plan, **more)
    await till.hear()
    return id


async def paying_team(till: Till) -> None:
    """Its trial over; its period begins a minute ago by both clocks."""
    id = await till.subscribe("team")
    till.there.advance(days=14, seconds=7200)
    await till.hear()
    till.there.state.offset = 0
    with till.there.changing():
        item = till.there.state.get("subscription", id)["items"]["data"][0]
        length = item["current_period_end"] - item["current_period_start"]
        item["current_period_start"] = till.there.state.now - 60
        item["current_period_end"] = item["current_period_start"] + length


def totals(till: Till) -> list[int]:
    return [each["total"] for each in till.there.state.all("invoice", status="paid")]


def codes(answers: Sequence[httpx.Response]) -> list[int]:
    return sorted(each.status_code for each in answers)


async def granted(till: Till) -> float:
    return sum(each.granted for each in await till.lots()) / 1_000_000


async def test_a_smaller_plan_with_many_seats_is_no_way_to_the_same_credits_again(till: Till) -> None:
    await subscribed(till)
    quote = await preview(till, plan="team", seats=67)
    assert (quote["when"], quote["due"], quote["monthly"]) == ("period_end", "0.00", "505.00")
    await made(till, quote)
    back = await preview(till, plan="scale", seats=101)
    assert back["when"] == "now"
    assert float(back["due"]) == pytest.approx(8, abs=0.1)
    assert back["credits_after"] == back["credits_before"]
    await made(till, back)
    assert await granted(till) == 300_000
    assert (await till.shown())["next_plan"] is None


async def test_of_two_that_change_it_at_once_one_does(till: Till) -> None:
    await paying_team(till)
    before = len(totals(till))
    up, seats = await preview(till, plan="scale"), await preview(till, seats=15)
    answers = await asyncio.gather(make(till, up), make(till, seats))
    assert codes(answers) == [200, 409]
    await till.hear()
    chosen = up if answers[0].status_code == 200 else seats
    assert [f"{each / 100:.2f}" for each in totals(till)[before:]] == [chosen["due"]]
    assert till.there.state.all("customer")[0]["balance"] == 0
    await till.is_in_order()


async def test_a_change_that_is_asked_for_ten_times_is_made_once(till: Till) -> None:
    await subscribed(till)
    quote = await preview(till, seats=105)
    answers = await asyncio.gather(*(make(till, quote) for _ in range(10)))
    assert set(codes(answers)) <= {200, 503}
    await made(till, quote)
    assert totals(till) == [49_900, 4_000]
    assert (await till.shown())["extra_seats"] == 5


async def test_what_is_not_paid_for_leaves_what_was_planned(till: Till) -> None:
    await subscribed(till)
    await made(till, await preview(till, plan="team"))
    quote = await preview(till, seats=105)
    card(till.there, "0341")
    assert await refused(till, quote) == "payment_declined"
    await till.hear()
    assert (await till.shown())["next_plan"]["plan"] == "team"
    card(till.there, "4242")
    assert await refused(till, quote) == "quote_over"
    till.there.advance(days=32)
    await till.hear()
    assert totals(till) == [49_900, 4_900]


async def test_a_change_that_is_cut_off_goes_on_and_then_replaces_what_was_planned(till: Till) -> None:
    id = await subscribed(till)
    await made(till, await preview(till, plan="team"))
    quote = await preview(till, seats=105)

    def cut(method: str, path: str, params: Params, *, done: bool) -> bool:
        return not (method == "POST" and path == f"/v1/subscriptions/{id}")

    till.there.watch = cut
    assert (await make(till, quote)).status_code == 503
    till.there.watch = None
    await till.hear()
    assert (await till.shown())["next_plan"]["plan"] == "team"
    await made(till, quote)
    shown = await till.shown()
    assert (shown["next_plan"], shown["extra_seats"]) == (None, 5)


async def test_staying_as_it_is_takes_back_what_was_planned(till: Till) -> None:
    await subscribed(till)
    await made(till, await preview(till, plan="team"))
    quote = await preview(till, plan="scale")
    assert (quote["due"], quote["next_invoice"]["total"]) == ("0.00", "499.00")
    await made(till, quote)
    assert (await till.shown())["next_plan"] is None
    till.there.advance(days=32)
    await till.hear()
    assert totals(till) == [49_900, 49_900]


async def test_in_a_trial_nothing_is_paid_and_nothing_more_is_brought(till: Till) -> None:
    await subscribed(till, "team")
    for wanted in ({"seats": 12}, {"plan": "scale"}):
        quote = await preview(till, **wanted)
        assert (quote["when"], quote["due"], quote["proration"]) == ("now", "0.00", [])
        assert quote["credits_after"] == quote["credits_before"]
        await made(till, quote)
    assert set(totals(till)) == {0}
    assert await granted(till) == 25_000


async def test_more_seats_are_sold_under_a_version_that_is_no_longer_sold(till: Till) -> None:
    """A price of an earlier version stays: only new subscriptions are of the newest."""
    await subscribed(till)
    await till.change("UPDATE catalog_entry SET retired_at = now() WHERE key = 'api/scale'")
    quote = await preview(till, seats=105)
    await made(till, quote)
    assert (await till.shown())["extra_seats"] == 5


async def test_who_owes_changes_nothing(till: Till) -> None:
    await subscribed(till)
    kept = await preview(till, seats=105)
    card(till.there, "0341")
    till.there.advance(days=32)
    await till.hear()
    answer = await till.ask("POST", "/subscriptions/api/preview", {"seats": 105})
    assert (answer.status_code, answer.json()["code"]) == (409, "invoice_open")
    assert await refused(till, kept) == "quote_over"
    await till.change("UPDATE quote SET fence = (SELECT fence FROM subscription)")
    assert await refused(till, kept) == "invoice_open"


async def test_members_that_joined_since_the_preview_keep_their_seats(till: Till) -> None:
    await subscribed(till, "team")
    quote = await preview(till, seats=10)
    for n in range(10):
        one = await Somebody.on(till.services, f"m{n}@example.org")
        await till.change(
            f"INSERT INTO member (workspace_id, user_id, role, joined_at) VALUES"  # noqa: S608 - ours
            f" ('{till.workspace}', '{one.tokens.user}', 'member', now())"
        )
    assert await refused(till, quote) == "seats_refused"


async def test_an_event_that_changes_nothing_ends_no_preview(till: Till) -> None:
    id = await subscribed(till)
    quote = await preview(till, seats=105)
    event = {
        "id": "evt_again",
        "type": "customer.subscription.updated",
        "created": 1,
        "data": {"object": {"id": id}},
    }
    await till.hear([event])
    await made(till, quote)


async def test_what_was_done_on_a_page_of_stripes_is_seen_before_it_is_told(till: Till) -> None:
    id = await subscribed(till)
    with till.there.changing():
        subscriptions.update(till.there.state, {"cancel_at_period_end": "true"}, id)
    resumed = (await till.ask("POST", "/subscriptions/api/resume")).json()
    assert resumed["cancel_at"] is None
    assert not till.there.state.get("subscription", id)["cancel_at_period_end"]
    before = await till.sql("SELECT 1 FROM audit_entry")
    await till.ask("POST", "/subscriptions/api/resume")
    assert await till.sql("SELECT 1 FROM audit_entry") == before


async def test_a_plan_that_was_released_there_can_be_made_again(till: Till) -> None:
    await subscribed(till)
    await made(till, await preview(till, plan="team"))
    quote = await preview(till, plan="team", seats=12)
    with till.there.changing():
        [schedule] = till.there.state.all("subscription_schedule")
        schedules.release(till.there.state, {}, schedule["id"])
    await made(till, quote)
    assert (await till.shown())["next_plan"]["extra_seats"] == 2
    ends = await till.ask("POST", "/subscriptions/api/cancel", {})
    assert ends.json()["cancel_at"] is not None


@pytest.mark.parametrize("planned", [False, True])
async def test_cancelled_ten_times_at_once_it_is_over_once(till: Till, *, planned: bool) -> None:
    await subscribed(till)
    if planned:
        await made(till, await preview(till, plan="team"))
    asked = [till.ask("POST", "/subscriptions/api/cancel", {"now": True}) for _ in range(10)]
    answers = await asyncio.gather(*asked)
    assert set(codes(answers)) <= {200, 503}
    assert 200 in codes(answers)
    await till.hear()
    assert ((await till.shown())["plan"], (await till.shown())["status"]) == ("free", None)
    await till.is_in_order()


async def test_what_is_over_there_is_over_before_it_is_told(till: Till) -> None:
    id = await subscribed(till)
    with till.there.changing():
        subscriptions.cancel(till.there.state, {}, id)
    over = (await till.ask("POST", "/subscriptions/api/cancel", {})).json()
    assert over["status"] == "canceled"
    assert (await till.shown())["plan"] == "free"


async def test_a_subscription_that_stripe_knows_no_more_is_told_as_that(till: Till) -> None:
    id = await subscribed(till)
    del till.there.state.objects["subscription"][id]
    gone = await till.ask("POST", "/subscriptions/api/cancel", {})
    assert (gone.status_code, gone.json()["code"]) == (404, "not_subscribed")
