import click
from dishka import AsyncContainer

from application.actor import Operator
from application.jobs.run import ListJobs, RunJobNow
from domain.jobs.tick import OK
from entrypoints.cli.services import with_services
from entrypoints.cli.show import as_json, show, show_one


@click.group()
def jobs() -> None:
    """Background jobs: what ran, and how it went."""


@jobs.command("list")
@as_json
@with_services("list_jobs")
async def list_(services: AsyncContainer, *, as_json: bool) -> None:
    """Every job: how often, its last tick and how the last one ended, its next."""
    rows = [
        {
            "job": each.job.name,
            "every": str(each.job.timing.every),
            "last_at": each.tick and each.tick.due_at,
            "running": each.running,
            "finished_at": each.tick and each.tick.finished_at,
            "outcome": each.tick and each.tick.outcome,
            "failures": each.tick.failures if each.tick else 0,
            "next_at": each.next_at,
        }
        for each in await (await services.get(ListJobs))(Operator())
    ]
    show(rows, as_json=as_json, empty="There are no jobs.")


@jobs.command("run")
@click.argument("name")
@as_json
@with_services("run_job")
async def run_(services: AsyncContainer, name: str, *, as_json: bool) -> None:
    """Run the job NAME now, whether or not it is due. Exits with 1 if it fails."""
    ran = await (await services.get(RunJobNow))(Operator(), name)
    row = {"job": ran.job, "outcome": ran.outcome, "seconds": round(ran.seconds, 3), **ran.done}
    show_one(row, as_json=as_json)
    if ran.outcome != OK:
        raise SystemExit(1)
