"""Money that moved: payment intents, their charges, refunds and disputes."""

from tests.fakes.stripe.customers import card_of, declined
from tests.fakes.stripe.events import change, tell
from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object, Params, StripeFault, known, number


def collect(state: State, invoice: Object, method: str | None = None) -> str | None:
    """Tries to get what an invoice asks for. The answer is Stripe's code of why not."""
    customer = state.get("customer", invoice["customer"])
    card = card_of(state, customer, method)
    fault = declined(card)
    intent = _intent_of(state, invoice)
    if fault is not None:
        status = "requires_action" if fault == "authentication_required" else "requires_payment_method"
        error = {"type": "card_error", "code": fault, "message": "Your card was declined."}
        intent.update(status=status, last_payment_error=error)
        tell(state, "payment_intent.payment_failed", intent)
        return fault
    charge = state.make(
        "charge",
        amount=invoice["amount_remaining"],
        amount_captured=invoice["amount_remaining"],
        amount_refunded=0,
        captured=True,
        paid=True,
        refunded=False,
        disputed=False,
        currency=invoice["currency"],
        customer=customer["id"],
        payment_intent=intent["id"],
        payment_method=None if card is None else card["id"],
        status="succeeded",
        billing_details={},
    )
    intent.update(
        status="succeeded",
        amount_received=intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        payment_method=charge["payment_method"],
    )
    [paid] = state.all("invoice_payment", invoice=invoice["id"])
    paid.update(amount_paid=charge["amount"], status="paid", status_transitions={"paid_at": state.now})
    tell(state, "charge.succeeded", charge)
    tell(state, "payment_intent.succeeded", intent)
    return None


def _intent_of(state: State, invoice: Object) -> Object:
    for each in state.all("invoice_payment", invoice=invoice["id"]):
        return state.get("payment_intent", each["payment"]["payment_intent"])
    intent = state.make(
        "payment_intent",
        amount=invoice["amount_remaining"],
        amount_received=0,
        amount_capturable=0,
        currency=invoice["currency"],
        customer=invoice["customer"],
        status="requires_payment_method",
        capture_method="automatic",
        confirmation_method="automatic",
        payment_method_types=["card"],
    )
    state.make(
        "invoice_payment",
        invoice=invoice["id"],
        amount_requested=invoice["amount_remaining"],
        currency=invoice["currency"],
        is_default=True,
        payment={"type": "payment_intent", "payment_intent": intent["id"]},
        status="open",
    )
    return intent


def page_payments(state: State, params: Params) -> Object:
    known(params, "invoice", "payment", "status", "limit", "starting_after", "ending_before")
    found = state.all("invoice_payment", **({"invoice": params["invoice"]} if "invoice" in params else {}))
    if "payment" in params:
        wanted = params["payment"]["payment_intent"]
        found = [each for each in found if each["payment"]["payment_intent"] == wanted]
    return state.page(found, params, "/v1/invoice_payments")


def read_intent(state: State, id: str) -> Object:
    return state.get("payment_intent", id)


def read_charge(state: State, id: str) -> Object:
    return state.get("charge", id)


def create_refund(state: State, params: Params) -> Object:
    known(params, "charge", "payment_intent", "amount", "reason", "metadata")
    id = params.get("charge") or state.get("payment_intent", params["payment_intent"])["latest_charge"]
    charge = state.get("charge", id)
    left = charge["amount"] - charge["amount_refunded"]
    amount = number(params, "amount", left) or 0
    if not 0 < amount <= left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise StripeFault(400, message, code="charge_already_refunded" if not left else None)
    refund = state.make(
        "refund",
        amount=amount,
        charge=charge["id"],
        currency=charge["currency"],
        payment_intent=charge["payment_intent"],
        reason=params.get("reason"),
        metadata=params.get("metadata") or {},
        status="succeeded",
    )
    refunded = charge["amount_refunded"] + amount
    tell(state, "refund.created", refund)
    whole = refunded == charge["amount"]
    change(state, "charge.refunded", charge, amount_refunded=refunded, refunded=whole)
    return refund


def page_refunds(state: State, params: Params) -> Object:
    known(params, "charge", "payment_intent", "limit", "starting_after", "ending_before", "created")
    equal = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    return state.page(state.all("refund", **equal), params, "/v1/refunds")


def page_disputes(state: State, params: Params) -> Object:
    known(params, "charge", "payment_intent", "limit", "starting_after", "ending_before", "created")
    equal = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    return state.page(state.all("dispute", **equal), params, "/v1/disputes")


def dispute(state: State, charge: str, *, status: str = "needs_response") -> Object:
    """By the customer's bank, for the whole of it."""
    about = state.get("charge", charge)
    made = state.make(
        "dispute",
        amount=about["amount"] - about["amount_refunded"],
        charge=charge,
        currency=about["currency"],
        payment_intent=about["payment_intent"],
        reason="fraudulent",
        status=status,
        is_charge_refundable=False,
        balance_transactions=[],
    )
    about["disputed"] = True
    tell(state, "charge.dispute.created", made)
    return made


def close_dispute(state: State, id: str, *, won: bool) -> Object:
    made = state.get("dispute", id)
    made["status"] = "won" if won else "lost"
    tell(state, "charge.dispute.closed", made)
    return made
