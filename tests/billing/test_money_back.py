"""Refunds and disputes: what goes back takes its share of the credits, and what comes again brings it."""

import pytest

from application.actor import Operator
from application.billing.reconcile import Reconcile
from tests.billing.conftest import Till
from tests.billing.lives import card
from tests.fakes.stripe import payments
from tests.fakes.stripe.events import tell
from tests.fakes.stripe.wire import Object

WHOLE = 300_000


async def granted(till: Till) -> float:
    return sum(each.granted for each in await till.lots()) / 1_000_000


async def in_order(till: Till) -> None:
    assert await (await till.services.get(Reconcile))(Operator()) == []
    await till.is_in_order()


async def charge_of(till: Till) -> Object:
    """The only one: of a month that is paid."""
    await till.subscribe()
    await till.hear()
    [charge] = till.there.state.all("charge")
    return charge


async def refund(till: Till, charge: Object, amount: int | None = None) -> Object:
    params = {"charge": charge["id"]} | ({} if amount is None else {"amount": str(amount)})
    with till.there.changing():
        made = payments.create_refund(till.there.state, params)
    await till.hear()
    return made


async def dispute(till: Till, charge: Object, amount: int | None = None) -> Object:
    made = till.there.dispute(charge["id"])
    with till.there.changing():
        made["amount"] = made["amount"] if amount is None else amount
    await till.hear()
    return made


async def win(till: Till, made: Object) -> None:
    till.there.close_dispute(made["id"], won=True)
    await till.hear()


async def test_what_was_won_can_be_refunded_all_the_same(till: Till) -> None:
    charge = await charge_of(till)
    await win(till, await dispute(till, charge))
    assert await granted(till) == WHOLE
    await refund(till, charge)
    assert await granted(till) == 0
    await in_order(till)


async def test_a_refund_that_fails_brings_the_credits_again(till: Till) -> None:
    charge = await charge_of(till)
    made = await refund(till, charge)
    assert await granted(till) == 0
    with till.there.changing():
        made["status"] = "failed"
        charge.update(amount_refunded=0, refunded=False)
        tell(till.there.state, "refund.failed", made)
    await till.hear()
    assert await granted(till) == WHOLE
    [invoice] = (await till.ask("GET", "/invoices")).json()["items"]
    assert invoice["refunded"] == "0.00"
    await in_order(till)


async def test_each_dispute_that_is_won_brings_its_credits_again(till: Till) -> None:
    charge = await charge_of(till)
    first = await dispute(till, charge, 10_000)
    await win(till, first)
    second = await dispute(till, charge, 20_000)
    assert await granted(till) == pytest.approx(WHOLE * 299 / 499, abs=1)
    await win(till, second)
    assert await granted(till) == WHOLE
    await in_order(till)


async def test_who_wins_a_dispute_keeps_what_was_not_refunded(till: Till) -> None:
    charge = await charge_of(till)
    await refund(till, charge, 24_950)
    made = await dispute(till, charge, charge["amount"])
    assert await granted(till) == 0
    await win(till, made)
    assert await granted(till) == WHOLE / 2
    await in_order(till)


async def test_what_a_balance_paid_is_not_refunded_with_the_charge(till: Till) -> None:
    await till.page("/top-ups", product="api", pack="small")
    [customer] = till.there.state.all("customer")
    with till.there.changing():
        customer["balance"] = -40_000
    charge = await charge_of(till)
    assert charge["amount"] == 9_900
    await refund(till, charge)
    assert await granted(till) == pytest.approx(WHOLE * 400 / 499, abs=1)
    await in_order(till)


async def test_reconciling_finds_what_was_not_taken_back(till: Till) -> None:
    await refund(till, await charge_of(till))
    await till.change(
        "UPDATE lot SET granted = granted + refunded, refunded = 0 WHERE reference LIKE 'stripe:%'"
    )
    use = await till.services.get(Reconcile)
    [drift] = await use(Operator(), apply=True)
    assert (drift.kind, drift.here) == ("lot", "300000000000")
    assert await granted(till) == 0
    await in_order(till)


async def test_reconciling_finds_a_freeze_that_is_gone_and_a_plan_that_nobody_pays(till: Till) -> None:
    await charge_of(till)
    card(till.there, "0341")
    till.there.advance(days=32)
    await till.hear()
    await till.change("UPDATE account SET freezes_at = NULL")
    use = await till.services.get(Reconcile)
    assert [each.kind for each in await use(Operator(), apply=True)] == ["freeze"]
    assert await use(Operator()) == []
    await till.ask("POST", "/subscriptions/api/cancel", {"now": True})
    await till.hear()
    await till.change(f"UPDATE account SET plan = 'scale' WHERE id = '{till.account}'")  # noqa: S608 - ours
    assert [each.kind for each in await use(Operator())] == ["plan"]
