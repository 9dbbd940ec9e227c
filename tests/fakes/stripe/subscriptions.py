"""Subscriptions: made, changed, ended. What time does to them is in `clock`."""

from copy import deepcopy
from typing import Any

from tests.fakes.stripe import invoices
from tests.fakes.stripe.customers import own
from tests.fakes.stripe.events import change, tell
from tests.fakes.stripe.months import month_later
from tests.fakes.stripe.proration import prorate
from tests.fakes.stripe.state import State, whole
from tests.fakes.stripe.wire import Object, Params, StripeFault, flag, known, needed, number

DAY = 86400
ENDED = ("canceled", "incomplete_expired")
_PAGE = ("limit", "starting_after", "ending_before", "created")


def items_of(subscription: Object) -> list[Object]:
    items: list[Object] = subscription["items"]["data"]
    return items


def period_of(subscription: Object) -> tuple[int, int]:
    first = items_of(subscription)[0]
    return first["current_period_start"], first["current_period_end"]


def set_period(subscription: Object, start: int, end: int) -> None:
    for each in items_of(subscription):
        each.update(current_period_start=start, current_period_end=end)


def create(state: State, params: Params) -> Object:
    known(
        params, "customer", "items", "metadata", "trial_period_days", "trial_end", "payment_behavior",
        "default_payment_method", "off_session", "proration_behavior",
    )  # fmt: skip
    customer = state.get("customer", needed(params, "customer"))
    days = number(params, "trial_period_days")
    trial_end = number(params, "trial_end", None if days is None else state.now + days * DAY)
    end = trial_end or month_later(state.now)
    subscription = state.make(
        "subscription",
        customer=customer["id"],
        metadata=params.get("metadata") or {},
        status="trialing" if trial_end else "active",
        start_date=state.now,
        trial_start=state.now if trial_end else None,
        trial_end=trial_end,
        billing_cycle_anchor=end if trial_end else state.now,
        cancel_at_period_end=False,
        collection_method="charge_automatically",
        default_payment_method=params.get("default_payment_method"),
        automatic_tax={"enabled": False, "liability": None, "disabled_reason": None},
        discounts=[],
        default_tax_rates=[],
    )
    subscription["items"] = whole([], f"/v1/subscription_items?subscription={subscription['id']}")
    for each in needed(params, "items"):
        _add_item(state, subscription, each, (state.now, end))
    subscription["currency"] = items_of(subscription)[0]["price"]["currency"]
    lines = [
        item_line(state, subscription, each, (state.now, end), free=trial_end is not None)
        for each in items_of(subscription)
    ]
    invoice = _invoice(state, subscription, lines, reason="subscription_create")
    invoices.finalize(state, invoice)
    fault = invoices.pay(state, invoice, subscription["default_payment_method"])
    if fault is not None:
        if params.get("payment_behavior") == "error_if_incomplete":
            raise StripeFault(402, "Your card was declined.", code=fault)
        subscription["status"] = "incomplete"
    tell(state, "customer.subscription.created", subscription)
    return subscription


def _add_item(state: State, subscription: Object, wanted: Params, period: tuple[int, int]) -> Object:
    price = state.get("price", needed(wanted, "price"))
    if not price["active"]:
        raise StripeFault(400, f"The price specified is inactive: {price['id']}.", param="price")
    item = state.make(
        "subscription_item",
        price=deepcopy(price),
        quantity=number(wanted, "quantity", 1),
        subscription=subscription["id"],
        current_period_start=period[0],
        current_period_end=period[1],
        discounts=[],
        tax_rates=[],
    )
    items_of(subscription).append(item)
    return item


def item_line(
    state: State, subscription: Object, item: Object, period: tuple[int, int], *, free: bool = False
) -> Object:
    return invoices.line(
        state,
        item["price"],
        item["quantity"],
        period=period,
        amount=0 if free else None,
        subscription=subscription,
        item=item["id"],
    )


def _invoice(state: State, subscription: Object, lines: list[Object], *, reason: str) -> Object:
    customer = state.get("customer", subscription["customer"])
    invoice = invoices.draft(
        state,
        customer,
        lines,
        reason=reason,
        currency=subscription["currency"],
        subscription=subscription,
    )
    subscription["latest_invoice"] = invoice["id"]
    return invoice


def renew(state: State, subscription: Object, period: tuple[int, int]) -> Object:
    """The invoice of a new period, with what was put aside for it; drafted."""
    set_period(subscription, *period)
    pending = [
        each for each in state.all("line_item", invoice=None) if each["subscription"] == subscription["id"]
    ]
    lines = [*pending, *(item_line(state, subscription, each, period) for each in items_of(subscription))]
    return _invoice(state, subscription, lines, reason="subscription_cycle")


def read(state: State, id: str) -> Object:
    return state.get("subscription", id)


def page(state: State, params: Params) -> Object:
    known(params, "customer", "status", "price", "test_clock", *_PAGE)
    equal = {name: params[name] for name in ("customer", "test_clock") if name in params}
    found = state.all("subscription", **(equal or {"test_clock": None}))
    if "price" in params:
        wanted = params["price"]
        found = [each for each in found if any(item["price"]["id"] == wanted for item in items_of(each))]
    status = params.get("status")
    if status is None:
        found = [each for each in found if each["status"] not in ENDED]
    elif status != "all":
        found = [each for each in found if each["status"] == status]
    return state.page(found, params, "/v1/subscriptions")


_CHANGES = (
    "items", "metadata", "proration_behavior", "proration_date", "payment_behavior", "cancel_at_period_end",
    "cancel_at", "trial_end", "default_payment_method", "pause_collection", "off_session",
)  # fmt: skip


def update(state: State, params: Params, id: str) -> Object:
    known(params, *_CHANGES)
    subscription = state.get("subscription", id)
    if subscription["status"] in ENDED:
        message = "A canceled subscription can only update its cancellation_details and metadata."
        raise StripeFault(400, message)
    before = deepcopy(subscription)
    lines = _change_items(state, subscription, params) if "items" in params else []
    if lines and params.get("proration_behavior") == "always_invoice":
        _invoice_now(state, subscription, lines, params)
    values: dict[str, Any] = {"metadata": subscription["metadata"] | (params.get("metadata") or {})}
    if "cancel_at_period_end" in params:
        ends = flag(params, "cancel_at_period_end")
        values["cancel_at_period_end"] = ends
        values["cancel_at"] = period_of(subscription)[1] if ends else None
        values["canceled_at"] = state.now if ends else None
    if method := params.get("default_payment_method"):
        customer = state.get("customer", subscription["customer"])
        values["default_payment_method"] = own(state, customer, method)
    if "pause_collection" in params:
        values["pause_collection"] = params["pause_collection"] or None
    subscription.update(values)
    previous = {name: before[name] for name in before if before[name] != subscription[name]}
    if previous:
        tell(state, "customer.subscription.updated", subscription, previous)
    return subscription


def _change_items(state: State, subscription: Object, params: Params) -> list[Object]:
    """The answer are the lines that pay for the change; they belong to no invoice yet."""
    start, end = period_of(subscription)
    at = number(params, "proration_date", state.now) or state.now
    if not start <= at <= end:
        raise StripeFault(400, "proration_date is outside of the current period.", param="proration_date")
    old = {each["id"]: deepcopy(each) for each in items_of(subscription)}
    for wanted in params["items"]:
        _change_item(state, subscription, wanted, (start, end))
    free = subscription["status"] == "trialing"
    if params.get("proration_behavior") == "none" or free:
        return []
    new = {each["id"]: each for each in items_of(subscription)}
    return prorate(state, subscription, old, new, at=at, period=(start, end))


def _change_item(state: State, subscription: Object, wanted: Params, period: tuple[int, int]) -> None:
    items = items_of(subscription)
    if "id" not in wanted:
        _add_item(state, subscription, wanted, period)
        return
    found = next((each for each in items if each["id"] == wanted["id"]), None)
    if found is None:
        raise StripeFault(400, f"No such subscription item: {wanted['id']}", code="resource_missing")
    if flag(wanted, "deleted"):
        items.remove(found)
        return
    if "price" in wanted:
        found["price"] = deepcopy(state.get("price", wanted["price"]))
    found["quantity"] = number(wanted, "quantity", found["quantity"])


def _invoice_now(state: State, subscription: Object, lines: list[Object], params: Params) -> None:
    invoice = _invoice(state, subscription, lines, reason="subscription_update")
    invoices.finalize(state, invoice)
    fault = invoices.pay(state, invoice, subscription["default_payment_method"])
    if fault is None:
        return
    if params.get("payment_behavior") == "error_if_incomplete":
        raise StripeFault(402, "Your card was declined.", code=fault)
    subscription["status"] = "past_due"
    invoice["next_payment_attempt"] = state.now + invoices.RETRIES[0]


def resume(state: State, params: Params, id: str) -> Object:
    """A paused one begins a new period, if that is paid."""
    known(params, "billing_cycle_anchor", "proration_behavior")
    subscription = state.get("subscription", id)
    if subscription["status"] != "paused":
        raise StripeFault(400, "Only paused subscriptions can be resumed.")
    renew(state, subscription, (state.now, month_later(state.now)))
    invoice = state.get("invoice", subscription["latest_invoice"])
    invoices.finalize(state, invoice)
    fault = invoices.pay(state, invoice, subscription["default_payment_method"])
    status = "paused" if fault is not None else "active"
    put_change(state, subscription, status=status, billing_cycle_anchor=state.now)
    return subscription


def cancel(state: State, params: Params, id: str) -> Object:
    known(params, "prorate", "invoice_now", "cancellation_details")
    subscription = state.get("subscription", id)
    if subscription["status"] in ENDED:
        raise StripeFault(404, f"No such subscription: {id}", code="resource_missing")
    if flag(params, "prorate"):
        old = {each["id"]: each for each in items_of(subscription)}
        lines = prorate(state, subscription, old, {}, at=state.now, period=period_of(subscription))
        if flag(params, "invoice_now") and lines:
            invoice = _invoice(state, subscription, lines, reason="subscription_update")
            invoices.finalize(state, invoice)
            invoices.pay(state, invoice)
    end(state, subscription)
    return subscription


def end(state: State, subscription: Object) -> None:
    subscription.update(status="canceled", ended_at=state.now, canceled_at=state.now, cancel_at=None)
    for each in state.all("invoice", status="draft"):
        if invoices.subscription_of(each) == subscription["id"]:
            each["automatically_finalizes_at"] = None
    tell(state, "customer.subscription.deleted", subscription)


def preview(state: State, params: Params) -> Object:
    """On a copy: what an update would ask for at once, else what the next invoice will."""
    known(params, "subscription", "subscription_details", "customer", "schedule")
    id = needed(params, "subscription")
    details = params.get("subscription_details") or {}
    known(details, *_CHANGES)
    copy = state.copy()
    subscription = copy.get("subscription", id)
    copy.get("customer", subscription["customer"])["invoice_settings"]["default_payment_method"] = None
    before = subscription["latest_invoice"]
    update(copy, {**details, "payment_behavior": "allow_incomplete"}, id)
    if subscription["latest_invoice"] == before:
        period = period_of(subscription)
        renew(copy, subscription, (period[1], month_later(period[1])))
    invoice = copy.get("invoice", subscription["latest_invoice"])
    return invoice | {"id": f"upcoming_{invoice['id']}", "status": "draft", "number": None}


def put_change(state: State, subscription: Object, **values: object) -> None:
    change(state, "customer.subscription.updated", subscription, **values)
