"""What an invoice brings, what the two books are compared by, and which prices there have to be."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.billing.prices import catalog_of
from domain.billing.change import Monthly, Quote, Timing, Wanted, timing_of
from domain.billing.drift import (
    Drift,
    Granted,
    Remedy,
    of_invoices,
    of_lots,
    of_plan_unpaid,
    of_standing,
    of_subscriptions,
)
from domain.billing.dunning import Dunning, dunning
from domain.billing.errors import BillingOff, PaymentsRefused
from domain.billing.invoice import LEEWAY, Due, Invoice, InvoiceStatus, Line, dues
from domain.billing.sold import Offer, PriceOutcome, PriceThere, Sold, SoldKind, price_changes
from domain.billing.standing import Standing
from domain.billing.subscription import Status, Subscription
from domain.billing.terms import PackTerms, PlanTerms
from domain.catalog.errors import ProductMissing
from domain.catalog.publication import Change, Outcome
from domain.ids import AccountId, PlanRef
from tests.fakes.catalog import PLAN, PRODUCT
from tests.fakes.till import subscribed

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
SMALL, LARGE = (Sold.plan(PlanRef("api", key, 1)) for key in ("small", "large"))
PLANS = {SMALL: PlanTerms(1000, 1, 7), LARGE: PlanTerms(9000, 5, 7)}
PACK = Sold(SoldKind.PACK, "api", "pack", 2)
ACCOUNT = AccountId(uuid4())
DUE = Due(reference="stripe:il_1", kind=SoldKind.PLAN, amount=1000, start=START, end=END)


def a_line(sold: Sold | None, amount: int, **changes: Any) -> Line:  # noqa: ANN401 - any of its fields
    usual = Line(
        id=f"il_{uuid4().hex}", sold=sold, quantity=1, amount=amount, unit_amount=100, start=START, end=END
    )
    return replace(usual, **changes)


def an_invoice(*lines: Line, **changes: Any) -> Invoice:  # noqa: ANN401 - as above
    usual = Invoice(
        id="in_1",
        account=ACCOUNT,
        customer="cus_1",
        subscription=None,
        status=InvoiceStatus.PAID,
        number="1",
        currency="USD",
        total=100,
        paid=100,
        lines=lines,
        created_at=START,
    )
    return replace(usual, **changes)


def brought(*lines: Line, pack: PackTerms | None = None) -> list[tuple[int, datetime | None]]:
    packs = {} if pack is None else {PACK: pack}
    return [(each.amount, each.end) for each in dues(an_invoice(*lines), PLANS, packs)]


def test_a_period_brings_the_allocation_whatever_was_asked_for_it() -> None:
    assert brought(a_line(SMALL, 100)) == brought(a_line(SMALL, 0)) == [(1000, END + LEEWAY)]


def test_a_pack_brings_its_credits_for_its_days() -> None:
    assert brought(a_line(PACK, 100, quantity=3), pack=PackTerms(50, None)) == [(150, None)]
    assert brought(a_line(PACK, 100), pack=PackTerms(50, 10)) == [(50, START + timedelta(days=10))]


def test_a_change_brings_the_difference_for_the_share_that_was_asked_for() -> None:
    back = a_line(SMALL, -50, proration=True)
    more = a_line(LARGE, 200, unit_amount=400, proration=True)
    assert brought(back, more) == brought(more, back) == [(4500 - 500, END + LEEWAY)]


def test_a_change_to_less_brings_nothing_and_so_does_what_is_no_plan() -> None:
    back = a_line(LARGE, -200, unit_amount=400, proration=True)
    assert brought(back, a_line(SMALL, 50, proration=True)) == []
    assert brought(a_line(None, 100), a_line(Sold.seat(SMALL.ref), 100)) == []
    assert brought(a_line(SMALL, 0, unit_amount=0, proration=True)) == []
    assert brought(a_line(Sold.seat(SMALL.ref), -50, proration=True)) == []


@pytest.mark.parametrize(
    ("taken", "total", "back"), [(0, 100, 0), (50, 100, 500), (200, 100, 1000), (5, 0, 0)]
)
def test_what_is_paid_back_is_its_share_of_all_that_was_asked_for(taken: int, total: int, back: int) -> None:
    assert DUE.back(an_invoice(total=total, paid=10, taken_back=taken)) == back


def test_a_lookup_key_says_what_is_sold() -> None:
    for sold in (SMALL, Sold.seat(SMALL.ref), PACK):
        assert Sold.parse(sold.lookup_key) == sold
    for other in ("", "cuebx:plan:api:small:x", "other:plan:api:small:1", "cuebx:x:api:small:1", "a:b"):
        assert Sold.parse(other) is None
    assert str(PACK) == "pack api/pack@2"
    assert SMALL.kind.monthly
    assert not PACK.kind.monthly


def test_prices_become_what_is_offered_and_none_is_edited() -> None:
    def there(sold: Sold, amount: int = 100, *, active: bool = True) -> PriceThere:
        return PriceThere(id="price_1", sold=sold, amount=amount, currency="usd", active=active)

    offers = [
        Offer(sold=Sold(SoldKind.PLAN, "api", key, 1), name=key, amount=100, currency="USD")
        for key in ("new", "same", "hidden", "dearer")
    ]
    _, same, hidden, dearer = (each.sold for each in offers)
    known = [there(same), there(hidden, active=False), there(dearer, 200), there(SMALL)]
    known.append(there(LARGE, active=False))
    assert [(each.outcome, each.sold) for each in price_changes(offers, known)] == [
        (PriceOutcome.NEW, offers[0].sold),
        (PriceOutcome.UNCHANGED, same),
        (PriceOutcome.RESTORED, hidden),
        (PriceOutcome.CLASH, dearer),
    ]


def test_what_is_for_sale_is_all_that_is_not_retired() -> None:
    gone = replace(PLAN, key="gone")
    changes = [Change(Outcome.NEW, PRODUCT), Change(Outcome.UNCHANGED, PLAN), Change(Outcome.RETIRED, gone)]
    assert catalog_of(changes) == ([PRODUCT], [PLAN])


@pytest.mark.parametrize(
    ("before", "after", "trialing", "timing"),
    [
        (Monthly(100, 5), Monthly(200, 5), False, Timing.NOW),
        (Monthly(100, 5), Monthly(100, 9), False, Timing.NOW),
        (Monthly(200, 5), Monthly(100, 9), False, Timing.PERIOD_END),
        (Monthly(100, 9), Monthly(200, 5), False, Timing.PERIOD_END),
        (Monthly(200, 9), Monthly(100, 5), True, Timing.NOW),
    ],
)
def test_what_costs_or_brings_less_is_so_when_what_is_paid_is_over(
    before: Monthly, after: Monthly, *, trialing: bool, timing: Timing
) -> None:
    assert timing_of(before, after, trialing=trialing) is timing


def a_subscription(**changes: Any) -> Subscription:  # noqa: ANN401 - as above
    usual = Subscription(
        id="sub_1",
        account=ACCOUNT,
        customer="cus_1",
        status=Status.ACTIVE,
        plan=SMALL.ref,
        seats=0,
        created_at=START,
        period_start=START,
        period_end=END,
    )
    return replace(usual, **changes)


def kinds(drifts: Any) -> list[tuple[str, Remedy]]:  # noqa: ANN401 - drifts
    found: list[Drift] = list(drifts)
    return [(each.kind, each.remedy) for each in found]


def test_subscriptions_that_differ_are_read_again() -> None:
    here, there = a_subscription(), a_subscription(seats=2)
    assert kinds(of_subscriptions(ACCOUNT, [here], [here])) == []
    assert kinds(of_subscriptions(ACCOUNT, [here], [there])) == [("subscription", Remedy.SUBSCRIPTION)]
    assert kinds(of_subscriptions(ACCOUNT, [], [there])) == [("subscription", Remedy.SUBSCRIPTION)]


def test_one_that_stripe_does_not_know_is_for_somebody_to_look_at() -> None:
    here = a_subscription()
    assert kinds(of_subscriptions(ACCOUNT, [here], [])) == [("subscription", Remedy.BY_HAND)]
    over = replace(here, status=Status.CANCELED)
    assert kinds(of_subscriptions(ACCOUNT, [over], [])) == []
    assert kinds(of_invoices(ACCOUNT, [an_invoice()], [])) == [("invoice", Remedy.BY_HAND)]


def test_lots_are_what_paid_invoices_stand_for() -> None:
    paid, half = {DUE.reference: (DUE, an_invoice())}, {DUE.reference: (DUE, an_invoice(taken_back=50))}
    whole, wrong = {DUE.reference: Granted(1000, 0)}, {DUE.reference: Granted(900, 0)}
    assert kinds(of_lots(ACCOUNT, whole, paid)) == []
    assert kinds(of_lots(ACCOUNT, {DUE.reference: Granted(1000, 500)}, half)) == []
    for lots, stands in ((wrong, paid), ({}, paid), (whole, half)):
        assert kinds(of_lots(ACCOUNT, lots, stands)) == [("lot", Remedy.INVOICE)]
    assert kinds(of_lots(ACCOUNT, whole, {})) == [("lot", Remedy.BY_HAND)]


@pytest.mark.parametrize("seats", [False, True])
def test_seats_are_compared_where_somebody_buys_them(*, seats: bool) -> None:
    here, there = Standing(SMALL.ref, 3, None), Standing(LARGE.ref, 5, START)
    found = [kind for kind, _ in kinds(of_standing(ACCOUNT, here, there, "sub_1", seats=seats))]
    assert found == ["plan", "freeze", *(["seats"] if seats else [])]
    assert kinds(of_standing(ACCOUNT, there, there, "sub_1", seats=seats)) == []


def test_a_plan_is_had_as_long_as_it_is_subscribed_to() -> None:
    over = [a_subscription(status=Status.CANCELED)]
    assert kinds(of_plan_unpaid(ACCOUNT, SMALL.ref, over)) == [("plan", Remedy.BY_HAND)]
    assert kinds(of_plan_unpaid(ACCOUNT, LARGE.ref, over)) == []


def test_a_quote_is_begun_once_in_its_time_and_goes_on_until_something_else_happens() -> None:
    quote = a_quote()
    assert quote.good(START, 1)
    assert not quote.good(START, 2)
    assert not quote.good(START + timedelta(minutes=15), 1)
    assert a_quote(period_end=START + timedelta(minutes=1)).expires_at == START + timedelta(minutes=1)
    claimed = quote.claim(2)
    assert not claimed.good(START, 1)
    assert (claimed.begun(2), claimed.begun(3)) == (True, False)


def a_quote(*, due: int = 0, period_end: datetime = END) -> Quote:
    return Quote.new(
        uuid4(), ACCOUNT, "sub_1", Wanted(SMALL.ref, 0), timing=Timing.NOW, now=START, due=due, monthly=900,
        currency="USD", credits=0, fence=1, period_end=period_end,
    )  # fmt: skip


def test_who_owes_is_frozen_after_the_time_of_grace() -> None:
    owing = a_subscription(status=Status.PAST_DUE, owed_since=START)
    assert owing.freezes_at(7) == START + timedelta(days=7)
    assert replace(owing, status=Status.ACTIVE).freezes_at(7) is None
    assert replace(owing, owed_since=None).freezes_at(7) is None


def test_errors_say_what_is_wrong() -> None:
    assert "no Stripe key" in str(BillingOff())
    assert "invalid_request" in str(PaymentsRefused("invalid_request"))
    assert str(ProductMissing("api", 3)) == "there is no product api@3"
    assert str(ProductMissing("api")) == "there is no product api"


@pytest.mark.parametrize(
    ("days", "grace", "notice"),
    [
        (3, 7, None),
        (2, 7, Dunning.REMINDER),
        (0.1, 7, Dunning.REMINDER),
        (2, 2, None),
        (0, 7, Dunning.STOPPED),
        (-9, 0, Dunning.STOPPED),
    ],
)
def test_who_does_not_pay_is_told_in_time(days: float, grace: int, notice: Dunning | None) -> None:
    assert dunning(START + timedelta(days=days), grace, START) == notice


def test_a_trial_that_ends_soon_is_told_of() -> None:
    ends = START + timedelta(days=14)
    trial = subscribed(ACCOUNT, status=Status.TRIALING, trial_end=ends)
    assert trial.trial_ends_soon(START) is None
    assert trial.trial_ends_soon(START + timedelta(days=11)) == ends
    for changes in ({"cancel_at": ends}, {"status": Status.ACTIVE}, {"trial_end": None}):
        assert replace(trial, **changes).trial_ends_soon(ends) is None


@pytest.mark.parametrize(("due", "total"), [(500, 900), (0, 900), (-200, 700), (-1000, 0)])
def test_what_is_given_back_makes_the_next_invoice_less(due: int, total: int) -> None:
    assert a_quote(due=due).next_total == total
