"""Invoices: what they ask for, and whether it came."""

from typing import Any

from tests.fakes.stripe.events import change, tell
from tests.fakes.stripe.payments import collect
from tests.fakes.stripe.state import State, whole
from tests.fakes.stripe.wire import Object, Params, StripeFault, known, needed, number

RETRIES = tuple(days * 86400 for days in (1, 3, 5, 7))
"""Seconds after the first failure. After the last one a subscription ends."""


def line(
    state: State,
    price: Object,
    quantity: int,
    *,
    period: tuple[int, int],
    amount: int | None = None,
    subscription: Object | None = None,
    item: str | None = None,
    proration: bool = False,
    description: str | None = None,
) -> Object:
    """``amount`` in cents; unless said, all that the price asks for."""
    of_item = {
        "invoice_item": None,
        "proration": proration,
        "proration_details": {"credited_items": None},
        "subscription": None if subscription is None else subscription["id"],
    }
    if item is None:
        parent = {
            "type": "invoice_item_details",
            "invoice_item_details": of_item,
            "subscription_item_details": None,
        }
    else:
        parent = {
            "type": "subscription_item_details",
            "invoice_item_details": None,
            "subscription_item_details": of_item | {"subscription_item": item},
        }
    total = price["unit_amount"] * quantity if amount is None else amount
    return state.make(
        "line_item",
        amount=total,
        subtotal=total,
        currency=price["currency"],
        description=description or f"{quantity} x {state.get('product', price['product'])['name']}",
        discount_amounts=[],
        discountable=True,
        discounts=[],
        period={"start": period[0], "end": period[1]},
        quantity=quantity,
        subscription=None if subscription is None else subscription["id"],
        parent=parent,
        taxes=[],
        pricing={
            "type": "price_details",
            "price_details": {"price": price["id"], "product": price["product"]},
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
    )


def draft(
    state: State,
    customer: Object,
    lines: list[Object],
    *,
    reason: str,
    currency: str,
    subscription: Object | None = None,
    metadata: Object | None = None,
) -> Object:
    parent = None
    if subscription is not None:
        details = {"subscription": subscription["id"], "metadata": dict(subscription["metadata"])}
        parent = {
            "type": "subscription_details",
            "quote_details": None,
            "subscription_details": details,
        }
    invoice = state.make(
        "invoice",
        customer=customer["id"],
        customer_email=customer["email"],
        customer_name=customer["name"],
        billing_reason=reason,
        collection_method="charge_automatically",
        currency=currency,
        metadata=metadata or {},
        parent=parent,
        status="draft",
        auto_advance=True,
        attempted=False,
        attempt_count=0,
        amount_paid=0,
        amount_overpaid=0,
        amount_shipping=0,
        starting_balance=customer["balance"],
        period_start=state.now,
        period_end=state.now,
        status_transitions=dict.fromkeys(("finalized_at", "marked_uncollectible_at", "paid_at", "voided_at")),
        automatic_tax={"enabled": False, "liability": None, "status": None, "disabled_reason": None},
    )
    invoice["lines"] = whole([], f"/v1/invoices/{invoice['id']}/lines")
    add(invoice, lines)
    tell(state, "invoice.created", invoice)
    return invoice


def add(invoice: Object, lines: list[Object]) -> None:
    for each in lines:
        each["invoice"] = invoice["id"]
        invoice["lines"]["data"].append(each)
    total = sum(each["amount"] for each in invoice["lines"]["data"])
    due = max(0, total + invoice["starting_balance"]) if total > 0 else 0
    invoice.update(
        subtotal=total, total=total, total_excluding_tax=total, amount_due=due, amount_remaining=due
    )


def finalize(state: State, invoice: Object) -> None:
    customer = state.get("customer", invoice["customer"])
    number_ = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    applied = invoice["total"] - invoice["amount_due"]  # to or from what the customer has at Stripe
    customer["balance"] += applied
    invoice.update(
        status="open",
        number=number_,
        ending_balance=customer["balance"],
        effective_at=state.now,
        hosted_invoice_url=f"{state.url}/i/{invoice['id']}",
        invoice_pdf=f"{state.url}/i/{invoice['id']}/pdf",
        status_transitions=invoice["status_transitions"] | {"finalized_at": state.now},
    )
    tell(state, "invoice.finalized", invoice)


def pay(state: State, invoice: Object, method: str | None = None) -> str | None:
    """The answer is Stripe's code of why it was not paid."""
    fault = collect(state, invoice, method) if invoice["amount_remaining"] else None
    invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
    if fault is not None:
        tell(state, "invoice.payment_failed", invoice)
        if fault == "authentication_required":
            tell(state, "invoice.payment_action_required", invoice)
        return fault
    invoice.update(
        status="paid",
        amount_paid=invoice["amount_due"],
        amount_remaining=0,
        next_payment_attempt=None,
        status_transitions=invoice["status_transitions"] | {"paid_at": state.now},
    )
    tell(state, "invoice.paid", invoice)
    tell(state, "invoice.payment_succeeded", invoice)
    return None


def read(state: State, id: str) -> Object:
    return state.get("invoice", id)


def page(state: State, params: Params) -> Object:
    known(params, "customer", "subscription", "status", "limit", "starting_after", "ending_before", "created")
    equal: dict[str, Any] = {name: params[name] for name in ("customer", "status") if name in params}
    found = state.all("invoice", **equal)
    if "subscription" in params:
        found = [each for each in found if subscription_of(each) == params["subscription"]]
    return state.page(found, params, "/v1/invoices")


def subscription_of(invoice: Object) -> str | None:
    parent = invoice["parent"]
    return None if parent is None else str(parent["subscription_details"]["subscription"])


def create(state: State, params: Params) -> Object:
    known(
        params, "customer", "currency", "auto_advance", "collection_method", "metadata", "description",
        "pending_invoice_items_behavior",
    )  # fmt: skip
    customer = state.get("customer", needed(params, "customer"))
    currency = (params.get("currency") or "usd").lower()
    made = draft(state, customer, [], reason="manual", currency=currency, metadata=params.get("metadata"))
    made.update(auto_advance=params.get("auto_advance") == "true", description=params.get("description"))
    return made


def create_item(state: State, params: Params) -> Object:
    known(params, "customer", "invoice", "pricing", "quantity", "metadata", "description")
    invoice = state.get("invoice", needed(params, "invoice"))
    _check(invoice, "draft")
    price = state.get("price", needed(needed(params, "pricing"), "price"))
    quantity = number(params, "quantity", 1) or 1
    now = (state.now, state.now)
    add(invoice, [line(state, price, quantity, period=now)])
    return state.make(
        "invoiceitem",
        amount=price["unit_amount"] * quantity,
        currency=price["currency"],
        customer=invoice["customer"],
        invoice=invoice["id"],
        quantity=quantity,
        proration=False,
        date=state.now,
        metadata=params.get("metadata") or {},
        period={"start": now[0], "end": now[1]},
    )


def finalize_invoice(state: State, params: Params, id: str) -> Object:
    known(params, "auto_advance")
    invoice = state.get("invoice", id)
    _check(invoice, "draft")
    finalize(state, invoice)
    return invoice


def pay_invoice(state: State, params: Params, id: str) -> Object:
    known(params, "payment_method", "off_session")
    invoice = state.get("invoice", id)
    if invoice["status"] == "draft":
        finalize(state, invoice)
    _check(invoice, "open")
    fault = pay(state, invoice, params.get("payment_method"))
    if fault is not None:
        raise StripeFault(402, "Your card was declined.", code=fault, keeps=True)
    return invoice


def void(state: State, params: Params, id: str) -> Object:
    known(params)
    invoice = state.get("invoice", id)
    _check(invoice, "open", "uncollectible")
    voided = invoice["status_transitions"] | {"voided_at": state.now}
    change(state, "invoice.voided", invoice, status="void", status_transitions=voided)
    return invoice


def _check(invoice: Object, *statuses: str) -> None:
    if invoice["status"] not in statuses:
        message = f"This invoice is {invoice['status']}, and must be {' or '.join(statuses)}."
        raise StripeFault(400, message, code="invoice_not_editable")
