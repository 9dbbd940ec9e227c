"""What publishing a draft changes: pure, so that it can be shown before it is done."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeAlias

from domain.catalog.feature import Feature
from domain.catalog.plan import Plan, Tariff
from domain.catalog.product import Product

Item: TypeAlias = Product | Plan | Feature


class Kind(StrEnum):
    PRODUCT = "product"
    PLAN = "plan"
    FEATURE = "feature"


@dataclass(frozen=True, slots=True)
class Name:
    """What the versions of one thing have in common. A plan's ``key`` is ``product/plan``."""

    kind: Kind
    key: str

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"

    @classmethod
    def of(cls, item: Item) -> "Name":
        if isinstance(item, Plan):
            return cls(Kind.PLAN, f"{item.product}/{item.key}")
        return cls(Kind.PRODUCT if isinstance(item, Product) else Kind.FEATURE, item.key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A catalog to be published: everything in it is what it would be in an empty catalog, a version 1."""

    products: tuple[Product, ...]
    plans: tuple[Plan, ...]
    features: tuple[Feature, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """The newest version of something, and whether it was left out of the catalog since."""

    item: Item
    retired: bool = False


class Outcome(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Change:
    """``item`` is the version to write (new, changed), or the stored one that the outcome is about."""

    outcome: Outcome
    item: Item


def publication(newest: Iterable[Entry], draft: Draft) -> tuple[Change, ...]:
    """What becomes of each entry of ``draft``, and of each stored one that is not in it.

    A plan pins what its features cost, so a new price makes a new version of every plan that holds the
    feature; a new prompt does not. Whoever has an earlier version of a plan keeps it.
    """
    stored = {Name.of(entry.item): entry for entry in newest}
    products = [_version(each, stored) for each in draft.products]
    features = [_version(each, stored) for each in draft.features]
    published = {item.key: item for _, item in features if isinstance(item, Feature)}
    plans = [_version(_pin(plan, published), stored) for plan in draft.plans]
    decided = [Change(outcome, item) for outcome, item in (*products, *features, *plans)]
    return (*decided, *_left_out(stored, {Name.of(change.item) for change in decided}))


def _left_out(stored: Mapping[Name, Entry], kept: set[Name]) -> Iterator[Change]:
    for name, entry in sorted(stored.items(), key=lambda each: str(each[0])):
        if name not in kept and not entry.retired:
            yield Change(Outcome.RETIRED, entry.item)


def _version(draft: Item, stored: Mapping[Name, Entry]) -> tuple[Outcome, Item]:
    entry = stored.get(Name.of(draft))
    if entry is None:
        return Outcome.NEW, draft
    newest = entry.item
    version = newest.version + 1
    if isinstance(draft, Feature) and isinstance(newest, Feature):
        price_version = newest.price_version if draft.price == newest.price else version
        draft = replace(draft, price_version=price_version)
    if _same(replace(draft, version=newest.version), newest):
        return (Outcome.RESTORED if entry.retired else Outcome.UNCHANGED), newest
    return Outcome.CHANGED, replace(draft, version=version)


def _pin(plan: Plan, published: Mapping[str, Feature]) -> Plan:
    return replace(plan, tariffs={key: Tariff.of(published[key]) for key in plan.tariffs})


def _same(one: Item, other: Item) -> bool:
    """Equal in JSON too, where ``true`` is not ``1``."""
    return one == other and _schemas(one) == _schemas(other)


def _schemas(item: Item) -> str:
    if not isinstance(item, Feature):
        return ""
    return json.dumps([item.input_schema, item.output_schema], sort_keys=True)
