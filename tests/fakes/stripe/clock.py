"""What is due when the clock moves, each at its own time."""

from collections.abc import Callable, Iterator

from tests.fakes.stripe import checkout, invoices, schedules
from tests.fakes.stripe.events import tell
from tests.fakes.stripe.months import period_after
from tests.fakes.stripe.state import TEST_CLOCK, State
from tests.fakes.stripe.subscriptions import (
    DAY,
    ENDED,
    end,
    period_of,
    put_change,
    renew,
    set_period,
)
from tests.fakes.stripe.wire import Object

Due = tuple[int, Object, Callable[[], None]]
"""When, to what, and what is done then."""


def catch_up(state: State) -> None:
    """All that is due until now, in order, each by its own clock; what advances has arrived then."""
    while due := [each for each in _all_due(state) if each[0] <= state.now_for(each[1])]:
        at, _, act = min(due, key=lambda each: each[0])
        state.frozen = at
        try:
            act()
        finally:
            state.frozen = None
    for clock in state.all(TEST_CLOCK, status="advancing"):
        clock.update(frozen_time=state.now_for(clock), status="ready", status_details={})
        tell(state, "test_helpers.test_clock.ready", clock)


def _all_due(state: State) -> Iterator[Due]:
    for session in state.all("checkout.session", status="open"):
        yield (
            session["expires_at"],
            session,
            lambda each=session: checkout.lapse(state, each),  # type: ignore[misc]
        )
    for invoice in state.all("invoice", status="open"):
        if invoice["next_payment_attempt"] is not None:
            yield (
                invoice["next_payment_attempt"],
                invoice,
                lambda each=invoice: retry(state, each),  # type: ignore[misc]
            )
    for invoice in state.all("invoice", status="draft"):
        if invoice["automatically_finalizes_at"] is not None:
            yield (
                invoice["automatically_finalizes_at"],
                invoice,
                lambda each=invoice: _ask(state, each),  # type: ignore[misc]
            )
    for subscription in state.all("subscription"):
        if subscription["status"] not in ENDED:
            yield from _of_subscription(state, subscription)


def _of_subscription(state: State, subscription: Object) -> Iterator[Due]:
    _, ends = period_of(subscription)
    if subscription["status"] == "incomplete":
        yield subscription["created"] + DAY - 3600, subscription, lambda: _give_up(state, subscription)
        return
    if subscription["status"] == "trialing" and subscription["id"] not in state.warned:
        yield subscription["trial_end"] - 3 * DAY, subscription, lambda: _warn(state, subscription)
    yield ends, subscription, lambda: _turn(state, subscription)


def _give_up(state: State, subscription: Object) -> None:
    put_change(state, subscription, status="incomplete_expired", ended_at=state.now)


def _warn(state: State, subscription: Object) -> None:
    state.warned.append(subscription["id"])
    tell(state, "customer.subscription.trial_will_end", subscription)


def _turn(state: State, subscription: Object) -> None:
    """A period has ended."""
    at = period_of(subscription)[1]
    if subscription["cancel_at_period_end"]:
        end(state, subscription)
        return
    schedules.turn(state, subscription, at)
    if subscription["pause_collection"] is not None:
        set_period(subscription, *period_after(subscription["billing_cycle_anchor"], at))
        return
    invoice = renew(state, subscription, period_after(subscription["billing_cycle_anchor"], at))
    invoice["automatically_finalizes_at"] = at + state.drafted
    if subscription["status"] == "trialing":
        subscription["status"] = "active"
    tell(state, "customer.subscription.updated", subscription, {"latest_invoice": None})


def _ask(state: State, invoice: Object) -> None:
    """For what a new period costs."""
    invoice["automatically_finalizes_at"] = None
    subscription = state.get("subscription", str(invoices.subscription_of(invoice)))
    invoices.finalize(state, invoice)
    if invoices.pay(state, invoice, subscription["default_payment_method"]) is not None:
        invoice["next_payment_attempt"] = state.now + invoices.RETRIES[0]
        put_change(state, subscription, status="past_due")


def retry(state: State, invoice: Object) -> None:
    """Once more; after the last time the subscription ends."""
    id = invoices.subscription_of(invoice)
    subscription = None if id is None else state.get("subscription", id)
    method = None if subscription is None else subscription["default_payment_method"]
    tried = invoice["attempt_count"]
    fault = invoices.pay(state, invoice, method)
    if fault is None:
        if subscription is not None:
            recover(state, subscription)
        return
    if tried < len(invoices.RETRIES):
        invoice["next_payment_attempt"] = state.now + invoices.RETRIES[tried] - invoices.RETRIES[tried - 1]
        return
    invoice["next_payment_attempt"] = None
    if subscription is not None and subscription["status"] not in ENDED:
        end(state, subscription)


def recover(state: State, subscription: Object) -> None:
    """All of its invoices are paid."""
    owed = [each for each in state.all("invoice", status="open") if _of(each, subscription)]
    if not owed and subscription["status"] in {"past_due", "incomplete", "unpaid"}:
        put_change(state, subscription, status="active")


def _of(invoice: Object, subscription: Object) -> bool:
    return invoices.subscription_of(invoice) == str(subscription["id"])
