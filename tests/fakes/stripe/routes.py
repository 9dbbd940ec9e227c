"""Which request is which."""

import re
from collections.abc import Callable

from tests.fakes.stripe import (
    catalog,
    checkout,
    customers,
    events,
    invoices,
    payments,
    portal,
    schedules,
    simulations,
    subscriptions,
)
from tests.fakes.stripe.clock import recover
from tests.fakes.stripe.state import State
from tests.fakes.stripe.wire import Object, Params

Act = Callable[[State, Params, str], Object]


def _page(act: Callable[[State, Params], Object]) -> Act:
    return lambda state, params, _: act(state, params)


def _read(act: Callable[[State, str], Object]) -> Act:
    return lambda state, _, id: act(state, id)


def _pay(state: State, params: Params, id: str) -> Object:
    invoice = invoices.pay_invoice(state, params, id)
    subscription = invoices.subscription_of(invoice)
    if subscription is not None:
        recover(state, state.get("subscription", subscription))
    return invoice


def _delete_customer(state: State, params: Params, id: str) -> Object:
    """What it subscribes to ends at once; its invoices stay, and are not tried again."""
    gone = customers.delete(state, params, id)
    for each in state.all("subscription", customer=id):
        if each["status"] not in subscriptions.ENDED:
            subscriptions.end(state, each)
    for each in state.all("invoice", customer=id, status="open"):
        each["next_payment_attempt"] = None
    return gone


def _delete_clock(state: State, params: Params, id: str) -> Object:
    """And its customers with it."""
    for each in state.all("customer", test_clock=id):
        _delete_customer(state, {}, each["id"])
    return simulations.delete(state, params, id)


_ROUTES: list[tuple[str, str, Act]] = [
    ("POST", "products", _page(catalog.create_product)),
    ("GET", "products", _page(catalog.page_products)),
    ("GET", "products/ID", _read(catalog.read_product)),
    ("POST", "products/ID", catalog.change_product),
    ("POST", "prices", _page(catalog.create_price)),
    ("GET", "prices", _page(catalog.page_prices)),
    ("GET", "prices/ID", _read(catalog.read_price)),
    ("POST", "prices/ID", catalog.change_price),
    ("POST", "customers", _page(customers.create)),
    ("GET", "customers", _page(customers.page)),
    ("GET", "customers/ID", _read(customers.read)),
    ("POST", "customers/ID", customers.change_customer),
    ("DELETE", "customers/ID", _delete_customer),
    ("GET", "customers/ID/payment_methods", customers.page_cards),
    ("POST", "payment_methods/ID/attach", customers.attach),
    ("POST", "checkout/sessions", _page(checkout.create)),
    ("GET", "checkout/sessions", _page(checkout.page)),
    ("GET", "checkout/sessions/ID", _read(checkout.read)),
    ("POST", "checkout/sessions/ID/expire", checkout.expire),
    ("GET", "checkout/sessions/ID/line_items", _read(checkout.show_lines)),
    ("POST", "billing_portal/sessions", _page(portal.create)),
    ("POST", "subscriptions", _page(subscriptions.create)),
    ("GET", "subscriptions", _page(subscriptions.page)),
    ("GET", "subscriptions/ID", _read(subscriptions.read)),
    ("POST", "subscriptions/ID", subscriptions.update),
    ("POST", "subscriptions/ID/resume", subscriptions.resume),
    ("DELETE", "subscriptions/ID", subscriptions.cancel),
    ("POST", "subscription_schedules", _page(schedules.create)),
    ("GET", "subscription_schedules/ID", _read(schedules.read)),
    ("POST", "subscription_schedules/ID", schedules.update),
    ("POST", "subscription_schedules/ID/release", schedules.release),
    ("POST", "invoices/create_preview", _page(subscriptions.preview)),
    ("POST", "invoices", _page(invoices.create)),
    ("GET", "invoices", _page(invoices.page)),
    ("GET", "invoices/ID", _read(invoices.read)),
    ("POST", "invoices/ID/finalize", invoices.finalize_invoice),
    ("POST", "invoices/ID/pay", _pay),
    ("POST", "invoices/ID/void", invoices.void),
    ("POST", "invoiceitems", _page(invoices.create_item)),
    ("GET", "invoice_payments", _page(payments.page_payments)),
    ("GET", "payment_intents/ID", _read(payments.read_intent)),
    ("GET", "charges/ID", _read(payments.read_charge)),
    ("POST", "refunds", _page(payments.create_refund)),
    ("GET", "refunds", _page(payments.page_refunds)),
    ("GET", "disputes", _page(payments.page_disputes)),
    ("GET", "events", _page(events.page)),
    ("GET", "events/ID", _read(events.read)),
    ("POST", "test_helpers/test_clocks", _page(simulations.create)),
    ("GET", "test_helpers/test_clocks", _page(simulations.page)),
    ("GET", "test_helpers/test_clocks/ID", _read(simulations.read)),
    ("POST", "test_helpers/test_clocks/ID/advance", simulations.advance),
    ("DELETE", "test_helpers/test_clocks/ID", _delete_clock),
]
_COMPILED = [
    (method, re.compile("/v1/" + path.replace("ID", "([A-Za-z0-9_:.-]+)")), act)
    for method, path, act in _ROUTES
]


def find(method: str, path: str) -> tuple[Act, str] | None:
    """What it does, and the id that it names."""
    for each, pattern, act in _COMPILED:
        match = pattern.fullmatch(path)
        if each == method and match is not None:
            return act, next(iter(match.groups()), "")
    return None
