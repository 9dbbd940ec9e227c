from datetime import timedelta

from domain.catalog.feature import OnTimeout
from domain.catalog.plan import Plan
from domain.ids import PlanRef
from domain.usage.terms import Rate, Terms


def terms_of(plan: Plan) -> Terms:
    """What the ledger needs to know of a plan version."""
    ref = PlanRef(plan.product, plan.key, plan.version)
    return Terms(
        plan=ref,
        renews=plan.free,
        allocation=plan.allocation,
        overdraft=plan.overdraft,
        keeps=timedelta(days=plan.results_days),
        rates={
            tariff.feature: Rate(
                plan=str(ref),
                price_version=tariff.price_version,
                price=tariff.price,
                multiplier=plan.multiplier,
                charge_on_timeout=tariff.on_timeout is OnTimeout.CHARGE,
            )
            for tariff in plan.tariffs.values()
        },
    )
