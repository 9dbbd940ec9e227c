"""Customers, and the cards that they pay with. The test cards are Stripe's own."""

from tests.fakes.stripe import simulations
from tests.fakes.stripe.events import change, tell
from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object, Params, known

CARDS = {
    "pm_card_visa": "4242",
    "pm_card_chargeCustomerFail": "0341",
    "pm_card_authenticationRequired": "3184",
}
"""By Stripe's names, the last four digits: what pays, what is declined, and what wants its owner."""
GONE = "deleted_customer"


def create(state: State, params: Params) -> Object:
    known(
        params, "email", "name", "description", "metadata", "payment_method", "invoice_settings", "phone",
        "preferred_locales", "test_clock",
    )  # fmt: skip
    customer = state.make(
        "customer",
        test_clock=simulations.join(state, params),
        email=params.get("email"),
        name=params.get("name"),
        description=params.get("description"),
        metadata=params.get("metadata") or {},
        balance=0,
        delinquent=False,
        invoice_prefix=f"CUS{state.counted:05d}",
        next_invoice_sequence=1,
        invoice_settings={
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        preferred_locales=[],
        tax_exempt="none",
    )
    tell(state, "customer.created", customer)
    if "payment_method" in params:
        attach(state, {"customer": customer["id"]}, params["payment_method"])
    return _settle(state, customer, params)


def read(state: State, id: str) -> Object:
    """Of one that was deleted there is still that it was."""
    return state.objects.get(GONE, {}).get(id) or state.get("customer", id)


def change_customer(state: State, params: Params, id: str) -> Object:
    known(params, "email", "name", "description", "metadata", "invoice_settings", "phone", "balance")
    customer = state.get("customer", id)
    values: Object = {name: params[name] for name in ("email", "name", "description") if name in params}
    values["metadata"] = customer["metadata"] | (params.get("metadata") or {})
    change(state, "customer.updated", customer, **values)
    return _settle(state, customer, params)


def delete(state: State, params: Params, id: str) -> Object:
    known(params)
    customer = state.get("customer", id)
    del state.objects["customer"][id]
    tell(state, "customer.deleted", customer)
    gone = {"id": id, "object": "customer", "deleted": True}
    return state.objects.setdefault(GONE, {}).setdefault(id, gone)


def _settle(state: State, customer: Object, params: Params) -> Object:
    method = (params.get("invoice_settings") or {}).get("default_payment_method")
    if method:
        use_card(state, customer, state.get("payment_method", own(state, customer, method)))
    return customer


def own(state: State, customer: Object, method: str) -> str:
    """Stripe's names of test cards stand for one that the customer got by attaching it."""
    if method not in CARDS:
        return method
    last4 = CARDS[method]
    found = [each for each in state.all("payment_method", customer=customer["id"]) if _last4(each) == last4]
    return str(found[-1]["id"]) if found else str(add_card(state, customer, last4)["id"])


def use_card(state: State, customer: Object, method: Object) -> None:
    settings = customer["invoice_settings"] | {"default_payment_method": method["id"]}
    change(state, "customer.updated", customer, invoice_settings=settings)


def add_card(state: State, customer: Object, last4: str) -> Object:
    card = {
        "brand": "visa",
        "country": "US",
        "exp_month": 12,
        "exp_year": 2040,
        "funding": "credit",
        "last4": last4,
    }
    method = state.make("payment_method", type="card", customer=customer["id"], card=card)
    tell(state, "payment_method.attached", method)
    return method


def attach(state: State, params: Params, id: str) -> Object:
    known(params, "customer")
    customer = state.get("customer", params["customer"])
    return state.get("payment_method", own(state, customer, id))


def page_cards(state: State, params: Params, id: str) -> Object:
    known(params, "type", "limit", "starting_after", "ending_before", "allow_redisplay")
    state.get("customer", id)
    return state.page(state.all("payment_method", customer=id), params, f"/v1/customers/{id}/payment_methods")


def page(state: State, params: Params) -> Object:
    known(params, "email", "limit", "starting_after", "ending_before", "created", "test_clock")
    equal = {"email": params["email"]} if "email" in params else {}
    found = state.all("customer", test_clock=params.get("test_clock"), **equal)
    return state.page(found, params, "/v1/customers")


def card_of(state: State, customer: Object, method: str | None = None) -> Object | None:
    id = method or customer["invoice_settings"]["default_payment_method"]
    return None if id is None else state.get("payment_method", id)


def _last4(method: Object) -> str:
    return str(method["card"]["last4"])


def declined(method: Object | None) -> str | None:
    """Why it does not pay: Stripe's code."""
    if method is None:
        return "payment_method_missing"
    return {"0341": "card_declined", "3184": "authentication_required"}.get(_last4(method))
