"""A workspace subscribes and buys credits, over HTTP, against a Stripe that is asked over HTTP."""

import asyncio

from tests.billing.conftest import Till

SCALE = ("allocation", "300000")


async def test_what_is_for_sale_is_there_for_anybody_to_see(till: Till) -> None:
    [api, personal] = (await till.http.get("/v1/plans")).json()["items"]
    assert [each["key"] for each in api["plans"]] == ["free", "team", "scale"]
    assert (api["plans"][1]["price"], api["plans"][1]["seat_price"], api["plans"][1]["trial_days"]) == (
        "49.00",
        "8.00",
        14,
    )
    assert api["packs"][0] == {
        "key": "small",
        "name": "10,000 credits",
        "price": "25.00",
        "currency": "USD",
        "credits": "10000",
        "days": None,
    }
    assert personal["packs"][0]["days"] == 365


async def test_a_subscription_that_is_paid_brings_its_credits(till: Till) -> None:
    before = await till.shown()
    assert (before["plan"], before["status"]) == ("free", None)
    id = await till.subscribe(seats=103)
    assert (await till.shown())["status"] is None
    await till.hear()
    shown = await till.shown()
    assert (shown["plan"], shown["status"], shown["extra_seats"]) == ("scale", "active", 3)
    assert await till.credits() == [SCALE]
    [lot] = await till.lots()
    item = till.there.state.get("subscription", id)["items"]["data"][0]
    assert (lot.starts_at.timestamp(), lot.expires_at.timestamp()) == (
        item["current_period_start"],
        item["current_period_end"] + 86400,
    )
    [workspace] = await till.sql("SELECT seats FROM workspace WHERE kind = 'team'")
    assert workspace["seats"] == 103
    await till.is_in_order()


async def test_a_trial_is_free_and_brings_credits(till: Till) -> None:
    await till.subscribe("team")
    await till.hear()
    shown = await till.shown()
    assert (shown["plan"], shown["status"]) == ("team", "trialing")
    assert await till.credits() == [("allocation", "25000")]
    [invoice] = (await till.ask("GET", "/invoices")).json()["items"]
    assert (invoice["status"], invoice["total"]) == ("paid", "0.00")
    till.there.advance(days=15)
    await till.hear()
    assert await till.credits() == [("allocation", "25000")] * 2
    assert (await till.shown())["status"] == "active"


async def test_who_asks_twice_gets_the_same_page_and_pays_once(till: Till) -> None:
    asked = [till.page("/subscriptions", product="api", plan="scale") for _ in range(5)]
    pages = set(await asyncio.gather(*asked))
    assert len(pages) == 1
    assert till.there.pay(pages.pop()) is None
    again = await till.ask("POST", "/subscriptions", {"product": "api", "plan": "scale"})
    assert (again.status_code, again.json()["code"]) == (409, "already_subscribed")
    await till.hear()
    assert len(till.there.state.all("subscription")) == 1
    assert await till.credits() == [SCALE]
    assert len(till.there.state.all("customer")) == 1


async def test_who_wants_another_plan_cannot_pay_for_the_first_any_more(till: Till) -> None:
    first = await till.page("/subscriptions", product="api", plan="scale")
    second = await till.page("/subscriptions", product="api", plan="team")
    assert first != second
    assert till.there.pay(first) == "session_over"
    assert till.there.pay(second) is None
    await till.hear()
    assert (await till.shown())["plan"] == "team"


async def test_credits_are_bought_and_there_when_they_are_paid(till: Till) -> None:
    session = await till.page("/top-ups", product="api", pack="small", quantity=2)
    await till.hear()
    assert await till.credits() == []
    assert await till.page("/top-ups", product="api", pack="small", quantity=2) == session
    assert till.there.pay(session) is None
    await till.hear()
    assert await till.credits() == [("top_up", "20000")]
    assert await till.page("/top-ups", product="api", pack="small", quantity=2) != session
    [invoice] = (await till.ask("GET", "/invoices")).json()["items"]
    assert (invoice["status"], invoice["total"], invoice["currency"]) == ("paid", "50.00", "USD")
    assert invoice["url"].startswith(till.there.url)
    await till.is_in_order()


async def test_what_cannot_be_bought_is_refused(till: Till) -> None:
    for body, status, code in (
        ({"product": "api", "plan": "free"}, 409, "plan_not_sold"),
        ({"product": "api", "plan": "none"}, 404, "plan_missing"),
        ({"product": "none", "plan": "team"}, 404, "plan_missing"),
        ({"product": "personal", "plan": "plus", "seats": 2}, 422, "seats_refused"),
    ):
        answer = await till.ask("POST", "/subscriptions", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    answer = await till.ask("POST", "/top-ups", {"product": "api", "pack": "none"})
    assert (answer.status_code, answer.json()["code"]) == (404, "pack_missing")


async def test_the_portal_is_a_page_at_stripe(till: Till) -> None:
    answer = await till.ask("POST", "/billing-portal")
    assert answer.json()["url"].startswith(f"{till.there.url}/p/session/")
