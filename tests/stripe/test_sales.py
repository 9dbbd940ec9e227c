"""What is for sale at Stripe, the pages that sell it, packs, refunds, and how Stripe takes requests."""

import time
from typing import Any

import pytest
import stripe

from tests.stripe.sandbox import HOUR, Sandbox


async def test_a_price_is_found_by_its_lookup_key_until_another_has_it(sandbox: Sandbox) -> None:
    key, other = f"{sandbox.name}:plan:1", f"{sandbox.name}:plan:2"
    prices = sandbox.client.v1.prices
    one, two = await sandbox.price(3000, lookup_key=key), await sandbox.price(4000, lookup_key=other)
    found = (await prices.list_async({"lookup_keys": [key, other], "active": True})).data
    assert {each.lookup_key: each.id for each in found} == {key: one, other: two}
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.price(5000, lookup_key=key)
    moved = await sandbox.price(5000, lookup_key=key, transfer_lookup_key=True)
    assert [each.id for each in (await prices.list_async({"lookup_keys": [key]})).data] == [moved]
    assert (await prices.retrieve_async(one)).lookup_key is None


async def test_a_price_does_not_change_but_can_be_sold_no_more(sandbox: Sandbox) -> None:
    price = await sandbox.price(3000, metadata={"cuebx": "plan"}, nickname="Plan, version 1")
    prices = sandbox.client.v1.prices
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter"):
        await sandbox.client.raw_request_async("post", f"/v1/prices/{price}", unit_amount=1)
    await prices.update_async(price, {"active": False})
    there = await prices.retrieve_async(price)
    assert (there.active, there.unit_amount, there.metadata["cuebx"]) == (False, 3000, "plan")
    listed = await prices.list_async({"product": str(there.product), "active": True})
    assert listed.data == []
    params: Any = {"customer": await sandbox.customer(), "items": [{"price": price}]}
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.client.v1.subscriptions.create_async(params)


async def test_a_product_has_the_id_that_it_was_given_once(sandbox: Sandbox) -> None:
    id = f"{sandbox.name}_product"
    products = sandbox.client.v1.products
    assert (await products.list_async({"ids": [id]})).data == []
    made = await products.create_async({"id": id, "name": sandbox.name})
    sandbox.made.push_async_callback(products.update_async, id, {"active": False})
    assert (made.id, [each.id for each in (await products.list_async({"ids": [id]})).data]) == (id, [id])
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await products.create_async({"id": id, "name": sandbox.name})
    assert refused.value.code == "resource_already_exists"


async def page(sandbox: Sandbox, **more: Any) -> stripe.checkout.Session:  # noqa: ANN401 - parameters of Stripe's
    """That sells a plan and three seats."""
    plan, seat = await sandbox.price(4900), await sandbox.price(800)
    params: Any = {
        "mode": "subscription",
        "customer": await sandbox.customer(None),
        "line_items": [{"price": plan, "quantity": 1}, {"price": seat, "quantity": 3}],
        "success_url": "https://app.example/done",
        "cancel_url": "https://app.example/back",
        "metadata": {"account": "acc_1"},
        "subscription_data": {"metadata": {"account": "acc_1"}},
        "expires_at": int(time.time()) + HOUR,
        **more,
    }
    return await sandbox.client.v1.checkout.sessions.create_async(params)


async def test_a_page_of_checkout_is_open_until_it_is_closed(sandbox: Sandbox) -> None:
    sessions = sandbox.client.v1.checkout.sessions
    session = await page(sandbox)
    assert (session.status, session.payment_status, session.amount_total) == ("open", "unpaid", 7300)
    assert (session.subscription, session.invoice) == (None, None)
    assert session.url is not None
    assert session.metadata is not None
    assert session.metadata["account"] == "acc_1"
    lines = await sessions.line_items.list_async(session.id)
    assert sorted(each.quantity or 0 for each in lines.data) == [1, 3]
    assert (await sessions.expire_async(session.id)).status == "expired"
    with pytest.raises(stripe.InvalidRequestError):
        await sessions.expire_async(session.id)
    after = await sessions.retrieve_async(session.id)
    assert (after.status, after.url, after.subscription) == ("expired", None, None)
    listed = await sessions.list_async({"customer": str(session.customer)})
    assert [each.id for each in listed.data] == [session.id]


async def test_a_page_of_checkout_lasts_from_half_an_hour_to_a_day(sandbox: Sandbox) -> None:
    for seconds in (HOUR // 4, 25 * HOUR):
        with pytest.raises(stripe.InvalidRequestError):
            await page(sandbox, expires_at=int(time.time()) + seconds)


async def test_a_page_can_sell_a_pack_and_keep_the_card(sandbox: Sandbox) -> None:
    params: Any = {
        "mode": "payment",
        "customer": await sandbox.customer(None),
        "line_items": [{"price": await sandbox.price(1500, monthly=False), "quantity": 1}],
        "success_url": "https://app.example/done",
        "invoice_creation": {"enabled": True, "invoice_data": {"metadata": {"account": "acc_1"}}},
        "payment_intent_data": {"setup_future_usage": "off_session"},
    }
    session = await sandbox.client.v1.checkout.sessions.create_async(params)
    assert (session.status, session.mode, session.amount_total) == ("open", "payment", 1500)
    params["line_items"] = [{"price": await sandbox.price(1500), "quantity": 1}]
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.client.v1.checkout.sessions.create_async(params)


async def test_a_customer_looks_after_a_subscription_at_a_page_of_its_own(sandbox: Sandbox) -> None:
    made = await sandbox.client.v1.billing_portal.sessions.create_async(
        {"customer": await sandbox.customer(), "return_url": "https://app.example/back"}
    )
    assert made.url.startswith("http")


async def bought(sandbox: Sandbox, customer: str) -> stripe.Invoice:
    """Two packs, asked for and not paid yet, as CueBX buys one by itself."""
    params: Any = {
        "customer": customer,
        "currency": "usd",
        "collection_method": "charge_automatically",
        "auto_advance": False,
        "pending_invoice_items_behavior": "exclude",
        "metadata": {"account": "acc_1"},
    }
    invoice = await sandbox.client.v1.invoices.create_async(params)
    pack = await sandbox.price(1500, monthly=False)
    await sandbox.client.v1.invoice_items.create_async(
        {"customer": customer, "invoice": str(invoice.id), "pricing": {"price": pack}, "quantity": 2}
    )
    return await sandbox.client.v1.invoices.finalize_invoice_async(str(invoice.id))


async def test_a_pack_has_an_invoice_that_a_card_pays(sandbox: Sandbox) -> None:
    invoice = await bought(sandbox, await sandbox.customer())
    assert (invoice.status, invoice.total) == ("open", 3000)
    paid = await sandbox.client.v1.invoices.pay_async(str(invoice.id), {"off_session": True})
    assert (paid.status, paid.amount_paid, paid.billing_reason) == ("paid", 3000, "manual")
    assert paid.metadata is not None
    assert paid.metadata["account"] == "acc_1"
    [line] = paid.lines.data
    assert (line.quantity, line.amount) == (2, 3000)


async def test_a_pack_whose_payment_fails_can_be_taken_back(sandbox: Sandbox) -> None:
    invoice = await bought(sandbox, await sandbox.customer("pm_card_chargeCustomerFail"))
    with pytest.raises(stripe.CardError) as refused:
        await sandbox.client.v1.invoices.pay_async(str(invoice.id), {"off_session": True})
    assert refused.value.code == "card_declined"
    assert (await sandbox.client.v1.invoices.retrieve_async(str(invoice.id))).status == "open"
    assert (await sandbox.client.v1.invoices.void_invoice_async(str(invoice.id))).status == "void"
    with pytest.raises(stripe.InvalidRequestError):
        await sandbox.client.v1.invoices.pay_async(str(invoice.id))


async def test_what_is_refunded_is_found_from_the_invoice_and_is_no_more_than_was_paid(
    sandbox: Sandbox,
) -> None:
    invoice = await bought(sandbox, await sandbox.customer())
    await sandbox.client.v1.invoices.pay_async(str(invoice.id))
    payments = sandbox.client.v1.invoice_payments
    [payment] = (await payments.list_async({"invoice": str(invoice.id)})).data
    intent = str(payment.payment.payment_intent)
    back: Any = {"payment": {"type": "payment_intent", "payment_intent": intent}}
    assert [each.invoice for each in (await payments.list_async(back)).data] == [invoice.id]
    refunds = sandbox.client.v1.refunds
    await refunds.create_async({"payment_intent": intent, "amount": 1000})
    assert [each.amount for each in (await refunds.list_async({"payment_intent": intent})).data] == [1000]
    with pytest.raises(stripe.InvalidRequestError):
        await refunds.create_async({"payment_intent": intent, "amount": 2001})
    assert (await sandbox.client.v1.disputes.list_async({"payment_intent": intent})).data == []


async def test_a_repeated_request_gets_the_same_answer(sandbox: Sandbox) -> None:
    customers = sandbox.client.v1.customers
    options: Any = {"idempotency_key": f"{sandbox.name}:customer"}
    email = f"{sandbox.name}@example.com"
    one = await customers.create_async({"email": email}, options)
    sandbox.made.push_async_callback(customers.delete_async, one.id)
    other = await customers.create_async({"email": email}, options)
    found = (await customers.list_async({"email": email})).data
    assert (other.id, [each.id for each in found]) == (one.id, [one.id])
    with pytest.raises(stripe.IdempotencyError):
        await customers.create_async({"email": f"other-{email}"}, options)


async def test_what_stripe_does_not_know_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="unknown parameter") as unknown:
        await sandbox.client.raw_request_async("post", "/v1/customers", emial="x")
    assert unknown.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as missing:
        await sandbox.client.v1.customers.retrieve_async("cus_none")
    assert missing.value.code == "resource_missing"
    with pytest.raises(stripe.AuthenticationError):
        await sandbox.client.v1.customers.list_async({}, {"api_key": "sk_test_none"})


async def test_a_customer_that_is_deleted_is_still_known_to_be(sandbox: Sandbox) -> None:
    customers = sandbox.client.v1.customers
    customer = await sandbox.customer()
    assert (await customers.delete_async(customer)).deleted
    assert getattr(await customers.retrieve_async(customer), "deleted", False)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        await customers.delete_async(customer)
    assert refused.value.code == "resource_missing"


async def test_what_happened_is_among_the_events(sandbox: Sandbox) -> None:
    since = int(time.time()) - HOUR
    customer = await sandbox.customer()
    params: Any = {"customer": customer, "items": [{"price": await sandbox.price(3000)}]}
    subscription = await sandbox.client.v1.subscriptions.create_async(params)
    invoice = str(subscription.latest_invoice)
    wanted = {"customer.subscription.created": subscription.id, "invoice.paid": invoice}

    async def told() -> dict[str, str]:
        page = await sandbox.client.v1.events.list_async(
            {"types": list(wanted), "created": {"gte": since}, "limit": 100}
        )
        found = [each async for each in page.auto_paging_iter() if each.data.object["customer"] == customer]
        return {each.type: each.data.object["id"] for each in found}

    await sandbox.becomes(told, wanted)
