"""What happens to a subscription later: renewals, failed payments, refunds, disputes, the end."""

from domain.billing.invoice import LEEWAY
from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.fakes.stripe import payments

SCALE = ("allocation", "300000")


async def test_each_paid_month_brings_its_credits(till: Till) -> None:
    await till.subscribe()
    for _ in range(3):
        till.there.advance(days=31)
        await till.hear()
    lots = await till.lots()
    assert [(each.source, each.granted) for each in lots] == [("allocation", 300_000_000_000)] * 4
    assert [one.expires_at for one in lots[:-1]] == [other.starts_at + LEEWAY for other in lots[1:]]


async def test_what_is_left_bridges_the_hour_until_a_month_is_paid(till: Till) -> None:
    id = await till.subscribe()
    await till.hear()
    ends = till.there.state.get("subscription", id)["items"]["data"][0]["current_period_end"]
    till.there.advance(seconds=ends - till.there.state.now + 1)
    await till.hear()
    assert (await till.shown())["status"] == "active"
    [lot] = await till.lots()
    assert lot.expires_at.timestamp() == ends + 86400
    till.there.advance(seconds=3600)
    await till.hear()
    assert await till.credits() == [SCALE, SCALE]


async def test_an_unpaid_month_brings_none_and_freezes_after_its_time_of_grace(till: Till) -> None:
    await till.subscribe()
    await till.hear()
    card(till.there, "0341")
    till.there.advance(days=32)
    await till.hear()
    assert ((await till.shown())["status"], (await till.shown())["plan"]) == ("past_due", "scale")
    assert await till.credits() == [SCALE]
    [account] = await till.sql("SELECT freezes_at - now() > interval '30 days' AS later FROM account")
    assert account["later"]
    card(till.there, "4242")
    till.there.advance(days=4)
    await till.hear()
    assert (await till.shown())["status"] == "active"
    assert await till.credits() == [SCALE, SCALE]
    assert await till.sql("SELECT 1 FROM account WHERE freezes_at IS NOT NULL") == []


async def test_one_that_is_never_paid_ends_in_the_free_plan(till: Till) -> None:
    await till.subscribe()
    card(till.there, "0341")
    till.there.advance(days=60)
    await till.hear()
    shown = await till.shown()
    assert (shown["plan"], shown["status"], shown["frozen"]) == ("free", None, False)
    till.there.state.offset = 0  # a page lasts for a day by Stripe's clock, and by ours
    session = await till.page("/subscriptions", product="api", plan="team")
    assert till.there.state.get("checkout.session", session)["amount_total"] == 4900  # no second trial


async def test_a_refund_takes_back_what_is_unspent(till: Till) -> None:
    await till.subscribe()
    [charge] = till.there.state.all("charge")
    await till.hear()
    with till.there.changing():
        payments.create_refund(till.there.state, {"charge": charge["id"], "amount": "24950"})
    heard = await till.hear()
    assert await till.credits() == [("allocation", "150000")]
    await till.hear(heard)
    assert await till.credits() == [("allocation", "150000")]
    [invoice] = (await till.ask("GET", "/invoices")).json()["items"]
    assert (invoice["paid"], invoice["refunded"]) == ("499.00", "249.50")
    await till.is_in_order()


async def test_a_dispute_takes_all_back_until_it_is_won(till: Till) -> None:
    await till.subscribe()
    [charge] = till.there.state.all("charge")
    dispute = till.there.dispute(charge["id"])
    await till.hear()
    [lot] = await till.lots()
    assert (lot.granted, lot.refunded) == (0, 300_000_000_000)
    till.there.close_dispute(dispute["id"], won=True)
    await till.hear()
    assert await till.credits() == [SCALE]
    await till.is_in_order()


async def test_a_bank_that_only_asks_takes_nothing(till: Till) -> None:
    await till.subscribe()
    [charge] = till.there.state.all("charge")
    with till.there.changing():
        payments.dispute(till.there.state, charge["id"], status="warning_needs_response")
    await till.hear()
    assert await till.credits() == [SCALE]
    [invoice] = (await till.ask("GET", "/invoices")).json()["items"]
    assert invoice["refunded"] == "0.00"


async def test_who_owes_an_invoice_that_was_given_up_is_frozen_all_the_same(till: Till) -> None:
    id = await till.subscribe()
    await till.hear()
    card(till.there, "0341")
    till.there.advance(days=32)
    with till.there.changing():
        [invoice] = till.there.state.all("invoice", status="open")
        invoice["status"] = "uncollectible"
    await till.hear()
    begun = till.there.state.get("subscription", id)["items"]["data"][0]["current_period_start"]
    [account] = await till.sql("SELECT freezes_at FROM account WHERE freezes_at IS NOT NULL")
    assert account["freezes_at"].timestamp() == begun + 7 * 86400
