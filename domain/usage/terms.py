"""What an account's plan says about spending. Made from the catalog; immutable once a plan is published."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from domain.credits import Price, Quantity
from domain.ids import PlanRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The price that a reservation was made at, and is settled at, whatever is published meanwhile.

    ``multiplier`` is in millionths. ``charge_on_timeout`` is the feature's rule for a started call that
    is never settled: charge what it held, or release it.
    """

    plan: str
    price_version: int
    price: Price
    multiplier: int
    charge_on_timeout: bool = False

    def cost(self, quantity: Quantity) -> int:
        return self.price.of(quantity, multiplier=self.multiplier)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``allocation`` and ``overdraft`` are microcredits. ``keeps``: how long results of queued runs are kept.

    ``renews``: each month's allocation opens by itself when it is first needed, because the plan is free.
    """

    plan: PlanRef
    renews: bool = False
    allocation: int = 0
    overdraft: int = 0
    keeps: timedelta = timedelta(days=7)
    rates: Mapping[str, Rate] = field(default_factory=dict)
