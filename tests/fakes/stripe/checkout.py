"""Checkout sessions, and what happens when somebody pays."""

from tests.fakes.stripe import invoices, subscriptions
from tests.fakes.stripe.customers import add_card, declined, use_card
from tests.fakes.stripe.events import tell
from tests.fakes.stripe.state import State, whole
from tests.fakes.stripe.wire import Object, Params, StripeFault, known, needed, number

LASTS = 86400


def create(state: State, params: Params) -> Object:
    known(
        params, "mode", "customer", "line_items", "success_url", "cancel_url", "metadata", "expires_at",
        "subscription_data", "invoice_creation", "client_reference_id", "payment_method_collection",
        "payment_intent_data", "allow_promotion_codes", "automatic_tax", "billing_address_collection",
    )  # fmt: skip
    mode = needed(params, "mode")
    customer = state.get("customer", needed(params, "customer"))
    lines = [_line(state, each, mode) for each in needed(params, "line_items")]
    total = sum(each["price"]["unit_amount"] * each["quantity"] for each in lines)
    data = params.get("subscription_data") or {}
    known(data, "metadata", "trial_period_days", "description", "trial_settings")
    expires = number(params, "expires_at", state.now + LASTS) or 0
    if not state.now + 1800 <= expires <= state.now + LASTS:
        message = "The `expires_at` timestamp must be between 30 minutes and 24 hours from now."
        raise StripeFault(400, message, param="expires_at")
    intent = params.get("payment_intent_data") or {}
    known(intent, "metadata", "description", "setup_future_usage", "receipt_email")
    session = state.make(
        "checkout.session",
        mode=mode,
        customer=customer["id"],
        status="open",
        payment_status="unpaid",
        amount_subtotal=total,
        amount_total=0 if "trial_period_days" in data else total,
        currency=lines[0]["price"]["currency"],
        success_url=needed(params, "success_url"),
        cancel_url=params.get("cancel_url"),
        metadata=params.get("metadata") or {},
        client_reference_id=params.get("client_reference_id"),
        expires_at=expires,
        payment_method_types=["card"],
        custom_fields=[],
        shipping_options=[],
    )
    session["url"] = f"{state.url}/c/pay/{session['id']}"
    # Not a member of what is answered, as with Stripe unless it is asked for.
    state.objects.setdefault("checkout.data", {})[session["id"]] = {
        "lines": lines,
        "subscription_data": data,
        "kept": intent.get("setup_future_usage") == "off_session",
        "invoice_data": (params.get("invoice_creation") or {}).get("invoice_data") or {},
    }
    return session


def _line(state: State, given: Params, mode: str) -> Object:
    price = state.get("price", needed(given, "price"))
    if not price["active"]:
        raise StripeFault(400, f"The price specified is inactive: {price['id']}.", param="line_items")
    if mode == "payment" and price["recurring"]:
        raise StripeFault(400, "You specified `payment` mode but passed a recurring price.")
    return {"price": price, "quantity": number(given, "quantity", 1)}


def lines_of(state: State, session: Object) -> list[Object]:
    lines: list[Object] = state.objects["checkout.data"][session["id"]]["lines"]
    return lines


def read(state: State, id: str) -> Object:
    return state.get("checkout.session", id)


def page(state: State, params: Params) -> Object:
    known(params, "customer", "subscription", "status", "limit", "starting_after", "ending_before", "created")
    equal = {name: params[name] for name in ("customer", "subscription", "status") if name in params}
    return state.page(state.all("checkout.session", **equal), params, "/v1/checkout/sessions")


def expire(state: State, params: Params, id: str) -> Object:
    known(params)
    session = state.get("checkout.session", id)
    if session["status"] != "open":
        message = f"Only Checkout Sessions with a status in `open` can be expired: it is {session['status']}."
        raise StripeFault(400, message)
    lapse(state, session)
    return session


def lapse(state: State, session: Object) -> None:
    session.update(status="expired", url=None)
    tell(state, "checkout.session.expired", session)


def pay(state: State, id: str, last4: str) -> str | None:
    """As the customer's browser. The answer is Stripe's code of why it was declined."""
    session = state.get("checkout.session", id)
    if session["status"] != "open":
        return "session_over"
    customer = state.get("customer", session["customer"])
    card = add_card(state, customer, last4)
    fault = declined(card)
    if fault is not None:
        return fault
    data = state.objects["checkout.data"][id]
    if session["mode"] == "subscription":
        use_card(state, customer, card)
    if session["mode"] == "subscription":
        items = [{"price": each["price"]["id"], "quantity": each["quantity"]} for each in data["lines"]]
        asked = {"customer": customer["id"], "items": items, **data["subscription_data"]}
        made = subscriptions.create(state, asked)
        session.update(subscription=made["id"], invoice=made["latest_invoice"])
    else:
        session["invoice"] = _sell(state, session, customer, card, data)["id"]
        if not data["kept"]:
            card["customer"] = None
    free = not session["amount_total"]
    session.update(status="complete", url=None, payment_status="no_payment_required" if free else "paid")
    tell(state, "checkout.session.completed", session)
    return None


def _sell(state: State, session: Object, customer: Object, card: Object, data: Object) -> Object:
    now = (state.now, state.now)
    lines = [invoices.line(state, each["price"], each["quantity"], period=now) for each in data["lines"]]
    invoice = invoices.draft(
        state,
        customer,
        lines,
        reason="manual",
        currency=session["currency"],
        metadata=data["invoice_data"].get("metadata"),
    )
    invoices.finalize(state, invoice)
    invoices.pay(state, invoice, card["id"])
    [payment] = state.all("invoice_payment", invoice=invoice["id"])
    session["payment_intent"] = payment["payment"]["payment_intent"]
    return invoice


def show_lines(state: State, id: str) -> Object:
    session = state.get("checkout.session", id)
    return whole(lines_of(state, session), f"/v1/checkout/sessions/{id}/line_items")
