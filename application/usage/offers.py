from collections.abc import Sequence
from dataclasses import dataclass

from application.actor import Customer
from application.catalog.ports import Catalog
from domain.catalog.feature import Feature
from domain.catalog.plan import Plan, Tariff


@dataclass(frozen=True, slots=True)
class Offer:
    feature: Feature
    tariff: Tariff


@dataclass(frozen=True, slots=True)
class ListOffers:
    """What a key may call, at the prices of its own plan version."""

    catalog: Catalog

    async def __call__(self, customer: Customer) -> tuple[Plan, Sequence[Offer]]:
        plan = await self.catalog.plan(customer.plan)
        held = [
            feature
            for feature in await self.catalog.features()
            if feature.key in plan.tariffs and customer.policy.permits(feature.key)
        ]
        return plan, [Offer(feature, plan.tariffs[feature.key]) for feature in held]
