"""A workspace goes, and nobody pays for it any more."""

import pytest

from application.actor import Operator
from application.billing.leave import CloseCustomer
from application.billing.reconcile import Reconcile
from domain.billing.drift import Remedy
from tests.billing.conftest import Till
from tests.fakes.stripe_server import Fault


async def delete(till: Till) -> None:
    answer = await till.ask("POST", "/deletion", {"name": "Team"})
    assert answer.status_code == 200, answer.text


async def test_a_workspace_that_is_subscribed_is_not_deleted_until_it_is_cancelled(till: Till) -> None:
    id = await till.subscribe()
    await till.hear()
    refused = await till.ask("POST", "/deletion", {"name": "Team"})
    assert (refused.status_code, refused.json()["code"]) == (409, "still_subscribed")
    assert refused.json()["products"] == ["api"]
    await till.ask("POST", "/subscriptions/api/cancel", {})
    await delete(till)
    await till.hear()
    assert till.there.state.get("subscription", id)["status"] == "canceled"
    assert till.there.state.all("customer") == []
    assert await (await till.services.get(Reconcile))(Operator()) == []
    await till.hear()
    await till.is_in_order()


async def test_nobody_can_pay_on_a_page_that_was_open(till: Till) -> None:
    sessions = [
        await till.page("/subscriptions", product="api", plan="scale"),
        await till.page("/top-ups", product="api", pack="small"),
    ]
    await till.change(
        "INSERT INTO checkout SELECT account_id, gen_random_uuid(), 'top_up', wanted, NULL, NULL, 'open',"
        " created_at, expires_at FROM checkout WHERE purpose = 'top_up'"
    )
    await delete(till)
    await till.hear()
    assert [till.there.pay(each) for each in sessions] == ["session_over"] * 2
    assert await till.sql("SELECT 1 FROM checkout WHERE state = 'open'") == []
    close = await till.services.get(CloseCustomer)
    await close(till.workspace)


@pytest.mark.parametrize("lost", [False, True])
async def test_what_was_paid_meanwhile_ends(
    till: Till, caplog: pytest.LogCaptureFixture, *, lost: bool
) -> None:
    """Before the message of the deletion is acted on, or without it."""
    session = await till.page("/subscriptions", product="api", plan="scale")
    await delete(till)
    assert till.there.pay(session) is None
    if lost:
        await till.change("DELETE FROM outbox WHERE kind = 'billing.customer_gone'")
    await till.hear()
    [subscription] = till.there.state.all("subscription")
    assert subscription["status"] == "canceled"
    assert ("see to its refund" in caplog.text) == lost
    await till.hear()
    assert await till.credits() in ([], [("allocation", "300000")])
    await till.is_in_order()


async def test_a_customer_that_stayed_is_found_and_deleted(till: Till) -> None:
    id = await till.subscribe()
    await till.hear()
    await till.ask("POST", "/subscriptions/api/cancel", {})
    await delete(till)
    await till.change("DELETE FROM outbox WHERE kind = 'billing.customer_gone'")
    use = await till.services.get(Reconcile)
    [drift] = await use(Operator())
    assert (drift.kind, drift.remedy, drift.account) == ("customer", Remedy.CUSTOMER, None)
    await use(Operator(), apply=True)
    assert till.there.state.get("subscription", id)["status"] == "canceled"
    assert await use(Operator()) == []


async def test_it_goes_on_where_it_was_cut_off(till: Till) -> None:
    await till.page("/subscriptions", product="api", plan="scale")
    await delete(till)
    till.there.faults.append(Fault(0, path="/v1/customers", method="DELETE", after=True, times=3))
    await till.hear()
    assert till.there.state.all("customer") == []
    assert await till.sql("SELECT 1 FROM billing_customer WHERE closed_at IS NULL") != []
    await till.overdue()
    assert await till.sql("SELECT 1 FROM billing_customer WHERE closed_at IS NULL") == []
    await till.is_in_order()


async def test_who_never_was_at_stripe_is_not_looked_for_there(till: Till) -> None:
    await (await till.services.get(CloseCustomer))(till.workspace)
    assert till.there.state.all("customer") == []
