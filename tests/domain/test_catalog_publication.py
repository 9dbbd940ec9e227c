from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.catalog.feature import Feature, OnTimeout
from domain.catalog.plan import Plan
from domain.catalog.publication import Change, Draft, Entry, Item, Kind, Name, Outcome, publication
from domain.credits import Price
from tests.fakes.catalog import FEATURE, PLAN, PRODUCT, plan_of

DEARER = Price(per_call=7)


def draft(*, features: Iterable[Feature] = (FEATURE,), plans: Iterable[Plan] = (PLAN,)) -> Draft:
    return Draft(products=(PRODUCT,), plans=tuple(plans), features=tuple(features))


def after(entries: Iterable[Entry], changes: Iterable[Change]) -> list[Entry]:
    """What is newest once ``changes`` are applied."""
    stored = {Name.of(entry.item): entry for entry in entries}
    stored |= {Name.of(each.item): Entry(each.item, each.outcome is Outcome.RETIRED) for each in changes}
    return list(stored.values())


def told(changes: Iterable[Change]) -> dict[str, tuple[Outcome, int]]:
    return {str(Name.of(each.item)): (each.outcome, each.item.version) for each in changes}


def item(changes: Iterable[Change], name: str) -> Item:
    return next(each.item for each in changes if str(Name.of(each.item)) == name)


def published(*drafts: Draft) -> list[Entry]:
    entries: list[Entry] = []
    for each in drafts:
        entries = after(entries, publication(entries, each))
    return entries


def test_a_name_says_what_it_names() -> None:
    assert Name.of(PRODUCT) == Name(Kind.PRODUCT, "api")
    assert Name.of(PLAN) == Name(Kind.PLAN, "api/free")
    assert Name.of(FEATURE) == Name(Kind.FEATURE, "summarize")


def test_everything_is_new_in_an_empty_catalog() -> None:
    assert told(publication([], draft())) == {
        "product api": (Outcome.NEW, 1),
        "feature summarize": (Outcome.NEW, 1),
        "plan api/free": (Outcome.NEW, 1),
    }


def test_the_same_again_changes_nothing() -> None:
    changes = publication(published(draft()), draft())
    assert set(told(changes).values()) == {(Outcome.UNCHANGED, 1)}


def test_a_new_prompt_makes_a_new_feature_and_no_new_plan() -> None:
    changes = publication(published(draft()), draft(features=[replace(FEATURE, prompt="Otherwise")]))
    assert told(changes)["feature summarize"] == (Outcome.CHANGED, 2)
    assert told(changes)["plan api/free"] == (Outcome.UNCHANGED, 1)
    feature = item(changes, "feature summarize")
    assert isinstance(feature, Feature)
    assert feature.price_version == 1


def test_a_new_price_makes_a_new_version_of_each_plan_that_holds_the_feature() -> None:
    other = replace(FEATURE, key="classify")
    plans = [plan_of(FEATURE, other), plan_of(other, key="small")]
    entries = published(draft(features=[FEATURE, other], plans=plans))
    changes = publication(entries, draft(features=[replace(FEATURE, price=DEARER), other], plans=plans))
    assert told(changes)["plan api/free"] == (Outcome.CHANGED, 2)
    assert told(changes)["plan api/small"] == (Outcome.UNCHANGED, 1)
    plan = item(changes, "plan api/free")
    assert isinstance(plan, Plan)
    assert (plan.tariffs["summarize"].price, plan.tariffs["summarize"].price_version) == (DEARER, 2)
    assert plan.tariffs["classify"].price_version == 1


def test_a_price_that_comes_back_is_a_new_price_version() -> None:
    dearer = draft(features=[replace(FEATURE, price=DEARER)])
    changes = publication(published(draft(), dearer), draft())
    feature = item(changes, "feature summarize")
    assert isinstance(feature, Feature)
    assert (feature.version, feature.price_version) == (3, 3)


def test_the_rule_for_timeouts_is_pinned_too() -> None:
    changes = publication(published(draft()), draft(features=[replace(FEATURE, on_timeout=OnTimeout.CHARGE)]))
    plan = item(changes, "plan api/free")
    assert isinstance(plan, Plan)
    assert plan.version == 2
    assert plan.tariffs["summarize"].on_timeout is OnTimeout.CHARGE
    assert plan.tariffs["summarize"].price_version == 1


def test_true_is_not_one_in_a_schema() -> None:
    one, true = ({**FEATURE.input_schema, "default": value} for value in (1, True))
    entries = published(draft(features=[replace(FEATURE, input_schema=one)]))
    changes = publication(entries, draft(features=[replace(FEATURE, input_schema=true)]))
    assert told(changes)["feature summarize"] == (Outcome.CHANGED, 2)


def test_the_order_of_a_schema_is_no_change() -> None:
    turned = dict(reversed([*FEATURE.input_schema.items()]))
    changes = publication(published(draft()), draft(features=[replace(FEATURE, input_schema=turned)]))
    assert told(changes)["feature summarize"] == (Outcome.UNCHANGED, 1)


def test_what_is_left_out_is_retired_once() -> None:
    other = replace(FEATURE, key="classify")
    entries = published(draft(features=[FEATURE, other]))
    changes = publication(entries, draft())
    assert told(changes)["feature classify"] == (Outcome.RETIRED, 1)
    assert "feature classify" not in told(publication(after(entries, changes), draft()))


def test_what_comes_back_as_it_was_is_restored() -> None:
    other = replace(FEATURE, key="classify")
    entries = published(draft(features=[FEATURE, other]), draft())
    changes = publication(entries, draft(features=[FEATURE, other]))
    assert told(changes)["feature classify"] == (Outcome.RESTORED, 1)
    assert told(publication(after(entries, changes), draft(features=[FEATURE, other])))[
        "feature classify"
    ] == (Outcome.UNCHANGED, 1)


def test_what_comes_back_changed_is_a_new_version() -> None:
    other = replace(FEATURE, key="classify")
    entries = published(draft(features=[FEATURE, other]), draft())
    changes = publication(entries, draft(features=[FEATURE, replace(other, name="Sort")]))
    assert told(changes)["feature classify"] == (Outcome.CHANGED, 2)


@st.composite
def drafts(draw: st.DrawFn) -> Draft:
    keys = draw(st.sets(st.sampled_from("abc"), min_size=1))
    features = [
        replace(
            FEATURE,
            key=key,
            prompt=draw(st.sampled_from(["one", "two"])),
            price=Price(per_call=draw(st.integers(0, 1))),
        )
        for key in sorted(keys)
    ]
    plans = [
        replace(plan_of(*features, key=key), seats=draw(st.integers(1, 2)))
        for key in sorted(draw(st.sets(st.sampled_from("xyz"))))
    ]
    return draft(features=features, plans=plans)


BRIEFLY = settings(max_examples=50, deadline=None)
STEPS = st.lists(drafts(), min_size=1, max_size=8)


def replay(steps: Iterable[Draft]) -> tuple[dict[Name, Entry], dict[Name, list[Item]]]:
    """What is newest in the end, and every version that there was."""
    entries: list[Entry] = []
    history: dict[Name, list[Item]] = {}
    for step in steps:
        changes = publication(entries, step)
        for change in changes:
            versions = history.setdefault(Name.of(change.item), [])
            if change.outcome in (Outcome.NEW, Outcome.CHANGED):
                versions.append(change.item)
            assert versions[-1] == change.item
        entries = after(entries, changes)
    return {Name.of(entry.item): entry for entry in entries}, history


@BRIEFLY
@given(STEPS)
def test_whatever_was_published_before_the_last_draft_is_on_sale(steps: list[Draft]) -> None:
    newest, _ = replay(steps)
    last = steps[-1]
    on_sale = {name: entry.item for name, entry in newest.items() if not entry.retired}
    wanted: list[Item] = [*last.products, *last.plans, *last.features]
    assert on_sale.keys() == {Name.of(item) for item in wanted}
    for feature in last.features:
        now = on_sale[Name.of(feature)]
        assert isinstance(now, Feature)
        assert replace(now, version=1, price_version=1) == feature


@BRIEFLY
@given(STEPS)
def test_whatever_was_published_a_plan_on_sale_pins_what_its_features_cost(steps: list[Draft]) -> None:
    newest, _ = replay(steps)
    for plan in steps[-1].plans:
        now = newest[Name.of(plan)].item
        assert isinstance(now, Plan)
        assert now.tariffs.keys() == plan.tariffs.keys()
        for key, tariff in now.tariffs.items():
            feature = newest[Name(Kind.FEATURE, key)].item
            assert isinstance(feature, Feature)
            assert (tariff.price, tariff.price_version) == (feature.price, feature.price_version)


@BRIEFLY
@given(STEPS)
def test_whatever_was_published_versions_have_no_gaps_and_price_versions_name_the_change(
    steps: list[Draft],
) -> None:
    _, history = replay(steps)
    for versions in history.values():
        assert [version.version for version in versions] == list(range(1, len(versions) + 1))
        previous = None
        for version in versions:
            if isinstance(version, Feature):
                kept = isinstance(previous, Feature) and previous.price == version.price
                assert version.price_version == (
                    previous.price_version if kept and isinstance(previous, Feature) else version.version
                )
            previous = version
