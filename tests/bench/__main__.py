"""Measures the service as an operator runs it, on the database that comes with it: ``just bench``."""

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import click
from rich.console import Console

from adapters.embedded.postgres import EmbeddedPostgres
from tests.bench import report
from tests.bench.budgets import judge
from tests.bench.run import Bench, Lengths
from tests.bench.stage import CUEBX
from tests.bench.tenants import settle_in

QUICK = Lengths(seconds=1.5, warm_up=0.5, repeats=1)
FULL = Lengths(seconds=6, warm_up=2, repeats=3)
FEW = 10_000


@click.command()
@click.option("--quick", is_flag=True, help="Shorter runs and fewer records: a look, not a measurement.")
@click.option(
    "--records", type=click.IntRange(2 * FEW), help="Usage records to end with; 10 million unless quick."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Where the database is made; a temporary folder."
)
@click.option("--json", "output", type=click.Path(path_type=Path), default="bench.json", show_default=True)
def main(*, quick: bool, records: int | None, data: Path | None, output: Path) -> None:
    """Start all that is needed, measure, print a table and write it as JSON.

    Exits as `cuebx audit` does on what the load has left, and with 1 where the service gave a wrong answer.
    """
    records = records or (10 * FEW if quick else 1_000 * FEW)
    with tempfile.TemporaryDirectory() as made, EmbeddedPostgres(data or Path(made)) as own:
        tenants = asyncio.run(settle_in(own.url))
        bench = Bench(
            postgres=own,
            tenants=tenants,
            lengths=QUICK if quick else FULL,
            output=Path(made, "servers.log"),
            log=Console(stderr=True),
        )
        figures = bench.run(few=FEW, many=records)
        verdicts = judge(figures)
        report.show(figures, verdicts, Console(width=None if sys.stdout.isatty() else 140))
        report.save(output, figures, verdicts)
        audit = subprocess.run(  # noqa: S603 - our own command
            [CUEBX, "audit"], env={**os.environ, "CUEBX_DATABASE_URL": own.url}, check=False
        )
    wrong = sum(row.outcome.unexpected for row in figures.rows)
    sys.exit(audit.returncode or bool(wrong))


if __name__ == "__main__":
    main()
