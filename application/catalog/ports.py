from typing import Protocol

from domain.catalog.feature import Feature
from domain.catalog.plan import Plan
from domain.ids import PlanRef


class Catalog(Protocol):
    """What is published. Versions never change, so they may be kept for ever; what is newest may be
    one second old.
    """

    async def plan(self, ref: PlanRef) -> Plan:
        """Raises PlanMissing."""

    async def newest_plan(self, product: str, plan: str) -> Plan:
        """Raises PlanMissing, also for one that was retired."""

    async def feature(self, key: str) -> Feature:
        """The newest version. Raises FeatureMissing, also for one that was retired."""
