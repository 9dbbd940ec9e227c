from collections.abc import Mapping
from dataclasses import dataclass

from domain.catalog.feature import Feature, OnTimeout
from domain.credits import Price


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """What a feature costs under a plan version: fixed when the plan was published."""

    feature: str
    price_version: int
    price: Price
    on_timeout: OnTimeout

    @classmethod
    def of(cls, feature: Feature) -> "Tariff":
        return cls(
            feature=feature.key,
            price_version=feature.price_version,
            price=feature.price,
            on_timeout=feature.on_timeout,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One published version of a plan.

    ``price`` is hundredths of ``currency`` a month, ``allocation`` and ``overdraft`` are microcredits,
    ``multiplier`` is millionths; ``per_minute`` and ``per_day`` bound the calls of a workspace (None: not).
    ``results_days`` is how long what queued runs answered is kept. ``seat_price`` is for each seat beyond
    ``seats``, hundredths a month (None: there are no more). Who subscribes for the first time pays after
    ``trial_days``; who does not pay spends nothing after ``grace_days``.
    """

    product: str
    key: str
    version: int
    name: str
    description: str
    price: int
    currency: str
    seats: int
    allocation: int
    overdraft: int
    multiplier: int
    per_minute: int | None
    per_day: int | None
    tariffs: Mapping[str, Tariff]
    results_days: int = 7
    seat_price: int | None = None
    trial_days: int = 0
    grace_days: int = 7

    @property
    def free(self) -> bool:
        return self.price == 0

    def monthly(self, more_seats: int) -> int:
        """What is asked for each month, with so many seats beyond its own."""
        return self.price + more_seats * (self.seat_price or 0)
