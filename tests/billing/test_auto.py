"""Packs that are bought by themselves when credits run low."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from application.actor import Operator
from application.billing.auto import BuyAutomatically, TopUpLow
from application.keys.keys import CreateKey
from application.usage.grants import GrantCredits
from domain.credits import MICRO
from domain.events import NotYet
from domain.keys.key import KeyKind
from domain.usage.lot import Source
from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.fakes.stripe import customers, invoices
from tests.fakes.stripe_server import Fault


def packs(till: Till) -> list[tuple[str, int]]:
    """Invoices of packs, by status and total."""
    return [(each["status"], each["total"]) for each in till.there.state.all("invoice", parent=None)]


async def watched(till: Till, **changed: object) -> None:
    """Subscribed, with a card; below 300,000 credits a pack is bought, twice a month at most."""
    await till.subscribe()
    await till.hear()
    wanted = {"product": "api", "below": "300000", "pack": "small", "monthly": 2, **changed}
    answer = await till.ask("POST", "/auto-top-ups", wanted)
    assert answer.status_code == 200, answer.text


async def spend(till: Till) -> None:
    """By one call."""
    key = await (await till.services.get(CreateKey))(
        Operator(), KeyKind.LIVE, name="a test's", account=till.account
    )
    answer = await till.http.post(
        "/v1/features/echo/runs",
        json={"input": {"text": uuid4().hex}},
        headers={"Authorization": f"Bearer {key.text}"},
    )
    assert answer.status_code == 200, answer.text


async def test_a_call_that_takes_credits_below_the_mark_buys_a_pack(till: Till) -> None:
    await watched(till)
    await till.hear([])
    assert packs(till) == []
    await spend(till)
    await till.hear()
    assert packs(till) == [("paid", 2500)]
    assert await till.credits() == [("allocation", "300000"), ("top_up", "10000")]
    await spend(till)
    await till.hear()
    assert packs(till) == [("paid", 2500)]
    await till.is_in_order()


async def test_twenty_at_once_buy_one(till: Till) -> None:
    await watched(till)
    buy = await till.services.get(BuyAutomatically)
    await spend(till)
    done = await asyncio.gather(*(buy(till.account) for _ in range(20)), return_exceptions=True)
    assert done.count(True) == 1
    assert all(each in (True, False) or isinstance(each, NotYet) for each in done)
    assert packs(till) == [("paid", 2500)]
    assert await buy(till.account) is False
    await till.hear()
    assert await till.credits() == [("allocation", "300000"), ("top_up", "10000")]


async def test_no_more_than_so_many_a_month(till: Till) -> None:
    await watched(till, below="900000")
    buy = await till.services.get(BuyAutomatically)
    assert [await buy(till.account) for _ in range(4)] == [True, True, False, False]
    assert len(packs(till)) == 2


@pytest.mark.parametrize("last4", ["0341", "3184"])
async def test_a_card_that_is_declined_is_told_and_not_tried_again_soon(till: Till, last4: str) -> None:
    await watched(till, below="900000")
    card(till.there, last4)
    buy = await till.services.get(BuyAutomatically)
    assert await buy(till.account) is False
    assert packs(till) == [("void", 2500)]
    assert await buy(till.account) is False
    assert len(packs(till)) == 1
    assert await till.credits() == [("allocation", "300000")]
    [row] = await till.sql("SELECT count(*) AS mails FROM outbox WHERE body::text LIKE '%top_up_failed%'")
    assert row["mails"] == 1
    await till.hear()
    await till.is_in_order()


async def test_a_customer_that_stripe_has_deleted_is_not_asked_to_pay(till: Till) -> None:
    await watched(till, below="900000")
    [customer] = till.there.state.all("customer")
    with till.there.changing():
        customers.delete(till.there.state, {}, customer["id"])
    buy = await till.services.get(BuyAutomatically)
    assert await buy(till.account) is False
    assert packs(till) == []
    assert await till.sql("SELECT state, reason FROM top_up") == [
        {"state": "failed", "reason": "resource_missing"}
    ]


@pytest.mark.parametrize("forgotten", [False, True])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/invoices"),
        ("GET", "/v1/invoices"),
        ("POST", "/v1/invoiceitems"),
        ("POST", "/v1/invoices/in_00"),
        ("GET", "/v1/customers"),
    ],
)
async def test_one_that_is_cut_off_goes_on_where_it_was(
    till: Till, method: str, path: str, *, forgotten: bool
) -> None:
    """``forgotten``: Stripe was away for longer than it knows the keys of what was asked before."""
    await watched(till)
    await spend(till)
    till.there.faults.append(Fault(0, method=method, path=path, after=True, times=3))
    await till.hear([])
    assert await till.credits() == [("allocation", "300000")]
    till.there.faults.clear()
    if forgotten:
        till.there.state.answers.clear()
    await till.change("UPDATE top_up SET created_at = created_at - interval '5 minutes'")
    await till.overdue()
    assert packs(till) == [("paid", 2500)]
    assert await till.credits() == [("allocation", "300000"), ("top_up", "10000")]
    await till.is_in_order()


async def test_what_was_paid_before_the_answer_was_lost_is_not_paid_again(till: Till) -> None:
    await watched(till)
    await spend(till)
    till.there.faults.append(Fault(0, method="GET", path="/v1/invoices/", times=1000))
    await till.hear([])
    assert packs(till) == [("paid", 2500)]
    till.there.faults.clear()
    till.there.state.answers.clear()
    await till.change("UPDATE top_up SET created_at = created_at - interval '5 minutes'")
    await till.overdue()
    assert packs(till) == [("paid", 2500)]
    assert await till.credits() == [("allocation", "300000"), ("top_up", "10000")]


async def test_one_that_was_voided_before_the_answer_was_lost_has_failed(till: Till) -> None:
    await watched(till)
    card(till.there, "0341")
    await spend(till)
    till.there.faults.append(Fault(0, method="POST", path="/v1/invoices/in_", after=True, times=1000))
    await till.hear([])
    till.there.faults.clear()
    [invoice] = till.there.state.all("invoice", parent=None)
    invoices.void(till.there.state, {}, invoice["id"])
    await till.change("UPDATE top_up SET created_at = created_at - interval '5 minutes'")
    await till.overdue()
    assert packs(till) == [("void", 2500)]
    assert await till.sql("SELECT state FROM top_up") == [{"state": "failed"}]


async def test_who_ran_low_without_a_call_is_found_by_the_job(till: Till) -> None:
    await watched(till)
    job = await till.services.get(TopUpLow)
    assert await job() == {"watched": 1, "bought": 0}
    wanted = {"product": "api", "below": "400000", "pack": "small", "monthly": 1}
    await till.ask("POST", "/auto-top-ups", wanted)
    assert await job() == {"watched": 1, "bought": 1}
    assert await job() == {"watched": 1, "bought": 0}


async def test_it_is_set_shown_and_ended(till: Till) -> None:
    none: Any = (await till.ask("GET", "/auto-top-ups")).json()
    assert none == {"items": []}
    gone = await till.ask("DELETE", "/auto-top-ups/api")
    assert (gone.status_code, gone.json()["code"]) == (404, "auto_top_up_missing")
    for body, status, code in (
        ({"product": "api", "below": "1", "pack": "none", "monthly": 1}, 404, "pack_missing"),
        ({"product": "personal", "below": "1", "pack": "small", "monthly": 1}, 404, "not_subscribed"),
        ({"product": "api", "below": "-1", "pack": "small", "monthly": 1}, 422, "invalid_request"),
    ):
        answer = await till.ask("POST", "/auto-top-ups", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    await watched(till)
    [shown] = (await till.ask("GET", "/auto-top-ups")).json()["items"]
    assert (shown["below"], shown["pack"], shown["monthly"]) == ("300000", "small", 2)
    assert (await till.ask("DELETE", "/auto-top-ups/api")).status_code == 204
    grant = await till.services.get(GrantCredits)
    await grant(till.account, source=Source.PROMOTION, amount=MICRO)
    await spend(till)
    await till.hear()
    assert packs(till) == []
