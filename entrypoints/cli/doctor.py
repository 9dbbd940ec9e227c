import click
import msgspec
from rich.console import Console
from rich.table import Table

from entrypoints.cli.services import asynchronous, facts_file
from entrypoints.diagnosis import Check, diagnose


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@asynchronous
async def doctor(*, as_json: bool) -> None:
    """Tell what is reachable, what is not, and how to mend it; exit 1 if something needed is not."""
    checks = await diagnose(facts_file())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(checks)))
    else:
        _show(checks)
    if any(each.needed and not each.ok for each in checks):
        raise SystemExit(1)


def _show(checks: list[Check]) -> None:
    table = Table("", "what", "", "ms", "to mend it")
    for each in checks:
        mark = "[green]ok[/]" if each.ok else "[red]no[/]" if each.needed else "[yellow]--[/]"
        latency = "" if each.latency_ms is None else f"{each.latency_ms:.1f}"
        table.add_row(mark, each.name, each.detail, latency, each.mend)
    Console().print(table)
