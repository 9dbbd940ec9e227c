"""What a price at Stripe sells."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from domain.ids import PlanRef

_HEAD = "cuebx"


class SoldKind(StrEnum):
    PLAN = "plan"
    SEAT = "seat"
    PACK = "pack"

    @property
    def monthly(self) -> bool:
        return self is not SoldKind.PACK


@dataclass(frozen=True, slots=True)
class Sold:
    """One version of a plan, a further seat under it, or a pack of credits (``version`` is its product's).

    A version never changes, so neither does what the price of it asks for.
    """

    kind: SoldKind
    product: str
    key: str
    version: int

    @classmethod
    def plan(cls, ref: PlanRef) -> Self:
        return cls(SoldKind.PLAN, ref.product, ref.plan, ref.version)

    @classmethod
    def seat(cls, ref: PlanRef) -> Self:
        return cls(SoldKind.SEAT, ref.product, ref.plan, ref.version)

    @property
    def ref(self) -> PlanRef:
        """Of a plan or a seat."""
        return PlanRef(self.product, self.key, self.version)

    @property
    def lookup_key(self) -> str:
        return ":".join((_HEAD, self.kind, self.product, self.key, str(self.version)))

    @classmethod
    def parse(cls, lookup_key: str) -> Self | None:
        """None for what is not of CueBX."""
        parts = lookup_key.split(":")
        if len(parts) != 5 or parts[0] != _HEAD or parts[1] not in set(SoldKind) or not parts[4].isdecimal():  # noqa: PLR2004 - as many as a key has
            return None
        return cls(SoldKind(parts[1]), parts[2], parts[3], int(parts[4]))

    def __str__(self) -> str:
        return f"{self.kind} {self.product}/{self.key}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A price that has to be at Stripe. ``amount`` is hundredths of ``currency``."""

    sold: Sold
    name: str
    amount: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceThere:
    """One that is there. ``id`` is Stripe's."""

    id: str
    sold: Sold
    amount: int
    currency: str
    active: bool


class PriceOutcome(StrEnum):
    NEW = "new"
    UNCHANGED = "unchanged"
    RESTORED = "restored"
    CLASH = "clash"


@dataclass(frozen=True, slots=True)
class PriceChange:
    """``there`` is what it is about, where it is there. A clash: its amount is not what the catalog says."""

    outcome: PriceOutcome
    sold: Sold
    offer: Offer | None = None
    there: PriceThere | None = None


def price_changes(offers: Sequence[Offer], there: Sequence[PriceThere]) -> Iterator[PriceChange]:
    """What has to be done so that the ``offers`` can be bought. Nobody's price is ever edited.

    Those of earlier versions stay as they are: whoever pays them may want more seats. What is for sale is
    decided here, not at Stripe.
    """
    known = {each.sold: each for each in there}
    for offer in offers:
        found = known.pop(offer.sold, None)
        if found is None:
            yield PriceChange(PriceOutcome.NEW, offer.sold, offer)
        elif (found.amount, found.currency.upper()) != (offer.amount, offer.currency.upper()):
            yield PriceChange(PriceOutcome.CLASH, offer.sold, offer, found)
        else:
            outcome = PriceOutcome.UNCHANGED if found.active else PriceOutcome.RESTORED
            yield PriceChange(outcome, offer.sold, offer, found)
