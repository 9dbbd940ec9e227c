"""The jobs that there are. None is needed for anything to be right: they tidy, tell and check."""

from collections.abc import Mapping
from datetime import timedelta

from application.billing.auto import TopUpLow
from application.billing.dunning import TellOverdue
from application.billing.reconcile import ReconcileDaily
from application.billing.sweep import SweepStripeEvents
from application.identity.personal_data import EraseUsers
from application.jobs.purge import Purge
from application.jobs.run import Job, JobTable
from application.usage.alerts import TellThresholds
from application.usage.parking import ParkBroken
from application.usage.partitions import MakePartitions
from application.usage.tidy import TidyReservations
from domain.jobs.tick import Timing

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def job_table(
    *,
    tidy: TidyReservations,
    purge: Purge,
    make_partitions: MakePartitions,
    erase_users: EraseUsers,
    tell_thresholds: TellThresholds,
    park_broken: ParkBroken,
    sweep_stripe: SweepStripeEvents,
    reconcile_billing: ReconcileDaily,
    top_up_low: TopUpLow,
    tell_overdue: TellOverdue,
) -> JobTable:
    async def erase() -> Mapping[str, int]:
        done = await erase_users()
        return {"erased": len(done.erased), "kept": len(done.kept)}

    return JobTable(
        (
            Job(name="tidy_reservations", timing=Timing(5 * _MINUTE), limit=10 * _MINUTE, work=tidy),
            Job(name="purge", timing=Timing(_HOUR, at=20 * _MINUTE), limit=30 * _MINUTE, work=purge),
            Job(
                name="make_partitions",
                timing=Timing(_DAY, at=_HOUR + 10 * _MINUTE),
                limit=30 * _MINUTE,
                work=make_partitions,
            ),
            Job(
                name="erase_users",
                timing=Timing(_DAY, at=2 * _HOUR + 10 * _MINUTE),
                limit=30 * _MINUTE,
                work=erase,
            ),
            Job(
                name="tell_thresholds",
                timing=Timing(10 * _MINUTE),
                limit=10 * _MINUTE,
                work=tell_thresholds,
            ),
            Job(name="sweep_stripe", timing=Timing(10 * _MINUTE), limit=10 * _MINUTE, work=sweep_stripe),
            Job(name="top_up_low", timing=Timing(10 * _MINUTE), limit=10 * _MINUTE, work=top_up_low),
            Job(name="tell_overdue", timing=Timing(10 * _MINUTE), limit=10 * _MINUTE, work=tell_overdue),
            Job(
                name="reconcile_billing",
                timing=Timing(_DAY, at=3 * _HOUR + 10 * _MINUTE),
                limit=4 * _HOUR,
                work=reconcile_billing,
            ),
            Job(name="audit", timing=Timing(_HOUR), limit=55 * _MINUTE, work=park_broken),
        )
    )
