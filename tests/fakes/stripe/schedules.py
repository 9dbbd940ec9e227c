"""Subscription schedules: what a subscription becomes when its period ends."""

from copy import deepcopy
from itertools import pairwise

from tests.fakes.stripe.events import change, tell
from tests.fakes.stripe.months import period_after
from tests.fakes.stripe.state import State
from tests.fakes.stripe.subscriptions import items_of, period_of
from tests.fakes.stripe.wire import Object, Params, StripeFault, known, needed, number


def create(state: State, params: Params) -> Object:
    known(params, "from_subscription", "metadata")
    subscription = state.get("subscription", needed(params, "from_subscription"))
    if subscription["schedule"] is not None:
        message = "The subscription is already attached to a schedule."
        raise StripeFault(400, message, param="from_subscription")
    start, end = period_of(subscription)
    items = _wanted(subscription)
    schedule = state.make(
        "subscription_schedule",
        customer=subscription["customer"],
        subscription=subscription["id"],
        status="active",
        end_behavior="release",
        phases=[{"start_date": start, "end_date": end, "items": items, "proration_behavior": "none"}],
        current_phase={"start_date": start, "end_date": end},
        metadata=params.get("metadata") or {},
    )
    change(state, "customer.subscription.updated", subscription, schedule=schedule["id"])
    tell(state, "subscription_schedule.created", schedule)
    return schedule


def read(state: State, id: str) -> Object:
    return state.get("subscription_schedule", id)


def update(state: State, params: Params, id: str) -> Object:
    known(params, "phases", "end_behavior", "metadata", "proration_behavior")
    schedule = state.get("subscription_schedule", id)
    _check(schedule)
    subscription = state.get("subscription", schedule["subscription"])
    phases = [_phase(state, each) for each in needed(params, "phases")]
    for before, after in pairwise(phases):
        if before["end_date"] is None:
            raise StripeFault(400, "Only the last phase may have no end.", param="phases")
        after["start_date"] = before["end_date"]
    last = phases[-1]
    if last["end_date"] is None:  # it lasts for one period
        last["end_date"] = period_after(subscription["billing_cycle_anchor"], last["start_date"])[1]
    start = schedule["current_phase"]["start_date"]
    current = next((each for each in phases if each["start_date"] == start), None)
    if current is None:
        raise StripeFault(400, "You can not modify the start date of the current phase.")
    change(state, "subscription_schedule.updated", schedule, phases=phases)
    if _wanted(subscription) != current["items"]:
        _become(state, subscription, current["items"])
        tell(state, "customer.subscription.updated", subscription, {"items": None})
    return schedule


def _wanted(subscription: Object) -> list[Object]:
    return [{"price": each["price"]["id"], "quantity": each["quantity"]} for each in items_of(subscription)]


def _phase(state: State, given: Params) -> Object:
    known(given, "items", "start_date", "end_date", "proration_behavior", "metadata")
    items = [
        {
            "price": state.get("price", needed(each, "price"))["id"],
            "quantity": number(each, "quantity", 1),
        }
        for each in needed(given, "items")
    ]
    return {
        "items": items,
        "start_date": number(given, "start_date"),
        "end_date": number(given, "end_date"),
        "proration_behavior": given.get("proration_behavior", "create_prorations"),
        "metadata": given.get("metadata") or {},
    }


def release(state: State, params: Params, id: str) -> Object:
    """The subscription stays as it is."""
    known(params, "preserve_cancel_date")
    schedule = state.get("subscription_schedule", id)
    _check(schedule)
    _let_go(state, schedule)
    return schedule


def _let_go(state: State, schedule: Object) -> None:
    subscription = state.get("subscription", schedule["subscription"])
    schedule.update(
        status="released",
        released_at=state.now,
        released_subscription=subscription["id"],
        subscription=None,
        current_phase=None,
    )
    tell(state, "subscription_schedule.released", schedule)
    change(state, "customer.subscription.updated", subscription, schedule=None)


def turn(state: State, subscription: Object, at: int) -> None:
    """The phase that begins now, if there is one, sets what the next period is for. It ends with the last."""
    if subscription["schedule"] is None:
        return
    schedule = state.get("subscription_schedule", subscription["schedule"])
    for each in schedule["phases"]:
        if each["start_date"] == at:
            _become(state, subscription, each["items"])
            schedule["current_phase"] = {"start_date": at, "end_date": each["end_date"]}
    if schedule["phases"][-1]["end_date"] <= at:
        _let_go(state, schedule)


def _become(state: State, subscription: Object, wanted: list[Object]) -> None:
    items = items_of(subscription)
    while len(items) > len(wanted):
        items.pop()
    for nth, each in enumerate(wanted):
        if nth == len(items):
            items.append(
                state.make(
                    "subscription_item",
                    subscription=subscription["id"],
                    current_period_start=items[0]["current_period_start"],
                    current_period_end=items[0]["current_period_end"],
                    discounts=[],
                    tax_rates=[],
                )
            )
        items[nth].update(price=deepcopy(state.get("price", each["price"])), quantity=each["quantity"])


def _check(schedule: Object) -> None:
    if schedule["status"] != "active":
        raise StripeFault(400, f"This schedule is {schedule['status']}.")
