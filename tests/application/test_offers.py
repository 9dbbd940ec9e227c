"""What a key may call, at its own plan's prices."""

from dataclasses import replace

from application.actor import Customer
from application.usage.offers import ListOffers, Offer
from application.usage.terms import terms_of
from domain.catalog.feature import OnTimeout
from domain.catalog.plan import Tariff
from domain.credits import ONE, PICO, Price
from domain.ids import AccountId, KeyId, PlanRef, WorkspaceId
from domain.usage.terms import Rate, Terms
from tests.fakes.catalog import FEATURE, PLAN, FakeCatalog, plan_of
from tests.fakes.clock import NOON
from tests.fakes.ids import CountedIds

OTHER = replace(FEATURE, key="echo", name="Echo")
DEARER = replace(FEATURE, version=2, price_version=2, price=Price(per_call=9 * PICO))


def customer_of(plan: PlanRef) -> Customer:
    new_id = CountedIds()
    return Customer(
        key=KeyId(new_id()),
        test=False,
        workspace=WorkspaceId(new_id()),
        account=AccountId(new_id()),
        plan=plan,
    )


async def test_only_what_the_plan_holds_is_offered() -> None:
    plan = plan_of(FEATURE)
    catalog = FakeCatalog.of(plan, FEATURE, OTHER, at=NOON)
    found, offers = await ListOffers(catalog)(customer_of(PlanRef("api", "free", 1)))
    assert found == plan
    assert offers == [Offer(FEATURE, Tariff.of(FEATURE))]


async def test_the_newest_feature_is_offered_at_the_price_of_the_plan_that_was_bought() -> None:
    catalog = FakeCatalog.of(plan_of(FEATURE), FEATURE, DEARER, at=NOON)
    _, (offer,) = await ListOffers(catalog)(customer_of(PlanRef("api", "free", 1)))
    assert (offer.feature.version, offer.tariff.price) == (2, FEATURE.price)


def test_the_ledger_is_told_what_a_plan_says_of_spending() -> None:
    feature = replace(FEATURE, price_version=3, on_timeout=OnTimeout.CHARGE)
    plan = replace(plan_of(FEATURE), allocation=7, overdraft=5, multiplier=2 * ONE)
    plan = replace(plan, tariffs={"summarize": Tariff.of(feature)})
    assert terms_of(plan) == Terms(
        plan=PlanRef("api", "free", 1),
        renews=True,
        allocation=7,
        overdraft=5,
        rates={
            "summarize": Rate(
                plan="api/free@1",
                price_version=3,
                price=FEATURE.price,
                multiplier=2 * ONE,
                charge_on_timeout=True,
            )
        },
    )


def test_a_plan_that_is_paid_for_renews_nothing_and_a_lost_call_is_given_back() -> None:
    terms = terms_of(replace(PLAN, price=1))
    assert not terms.renews
    assert not terms.rates["summarize"].charge_on_timeout
