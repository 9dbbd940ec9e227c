"""How seldom the ledger asks what a plan version says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adapters.postgres.driver import Driver, driver_of
from adapters.postgres.terms import SqlTerms
from domain.catalog.plan import Plan
from domain.ids import PlanRef
from tests.contracts.banks import a_plan
from tests.contracts.sql_banks import SqlBank


@dataclass
class Counting:
    """A connection that counts what is asked of it."""

    driver: Driver
    asked: int = 0

    async def fetch(self, statement: str, *values: object) -> Sequence[Any]:
        self.asked += 1
        rows: Sequence[Any] = await self.driver.fetch(statement, *values)
        return rows


async def opened(bank: SqlBank, plan: Plan) -> PlanRef:
    await bank.open(plan)
    return PlanRef(plan.product, plan.key, plan.version)


async def test_a_plan_version_is_read_once_and_only_so_many_are_kept(postgres: SqlBank) -> None:
    first, second = await opened(postgres, a_plan()), await opened(postgres, a_plan(overdraft=5))
    terms = SqlTerms(most=1)
    async with driver_of(postgres.engine) as driver:
        counting = Counting(driver)
        for ref, overdraft, asked in ((first, 0, 1), (first, 0, 1), (second, 5, 2), (first, 0, 3)):
            assert (await terms.of(ref, counting)).overdraft == overdraft
            assert counting.asked == asked
