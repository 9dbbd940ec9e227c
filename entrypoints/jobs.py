"""What background jobs are made of."""

import os
import socket

from dishka import Provider, Scope, provide, provide_all
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.credit_alerts import SqlCreditUse
from adapters.postgres.partitions import SqlPartitions
from adapters.postgres.purges.leftovers import SqlLeftovers
from adapters.postgres.readers.overdue import SqlOverdueHolds
from adapters.postgres.ticks import SqlTicks
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.jobs.ports import Ticks
from application.jobs.purge import Leftovers, Purge
from application.jobs.run import JobTable, ListJobs, RunJob, RunJobNow
from application.jobs.table import job_table
from application.metrics import Meter
from application.ports import UnitOfWork
from application.usage.alerts import AlertsTx, CreditUse, TellThresholds
from application.usage.parking import ListParked, ParkAccount, ParkBroken, ParkingTx, UnparkAccount
from application.usage.partitions import MakePartitions, Partitions
from application.usage.tidy import OverdueHolds, TidyReservations


class Jobs(Provider):
    scope = Scope.APP

    table = provide(staticmethod(job_table))
    use_cases = provide_all(RunJobNow, ListJobs, TidyReservations, Purge, MakePartitions, TellThresholds)
    credit_use = provide(SqlCreditUse, provides=CreditUse)
    holds = provide(SqlOverdueHolds, provides=OverdueHolds)
    leftovers = provide(SqlLeftovers, provides=Leftovers)
    partitions = provide(SqlPartitions, provides=Partitions)
    parking = provide_all(ParkAccount, UnparkAccount, ListParked, ParkBroken)

    @provide
    def parking_work(self, work: SqlUnitOfWork) -> UnitOfWork[ParkingTx]:
        return work

    @provide
    def alerts_work(self, work: SqlUnitOfWork) -> UnitOfWork[AlertsTx]:
        return work

    @provide
    def run(self, table: JobTable, ticks: Ticks, meter: Meter) -> RunJob:
        return RunJob(table=table, ticks=ticks, meter=meter)

    @provide
    def ticks(self, engine: AsyncEngine) -> Ticks:
        return SqlTicks(engine, by=f"{socket.gethostname()}/{os.getpid()}")
