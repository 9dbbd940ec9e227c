"""What background jobs are made of."""

import os
import socket

from dishka import Provider, Scope, provide, provide_all
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.postgres.ticks import SqlTicks
from adapters.postgres.unit_of_work import SqlUnitOfWork
from application.jobs.ports import Ticks
from application.jobs.run import JobTable, ListJobs, RunJob, RunJobNow
from application.jobs.table import job_table
from application.metrics import Meter
from application.ports import UnitOfWork
from application.usage.parking import ListParked, ParkAccount, ParkBroken, ParkingTx, UnparkAccount


class Jobs(Provider):
    scope = Scope.APP

    table = provide(staticmethod(job_table))
    use_cases = provide_all(RunJobNow, ListJobs)
    parking = provide_all(ParkAccount, UnparkAccount, ListParked, ParkBroken)

    @provide
    def parking_work(self, work: SqlUnitOfWork) -> UnitOfWork[ParkingTx]:
        return work

    @provide
    def run(self, table: JobTable, ticks: Ticks, meter: Meter) -> RunJob:
        return RunJob(table=table, ticks=ticks, meter=meter)

    @provide
    def ticks(self, engine: AsyncEngine) -> Ticks:
        return SqlTicks(engine, by=f"{socket.gethostname()}/{os.getpid()}")
