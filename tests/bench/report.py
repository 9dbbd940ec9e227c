"""One table to read, and the same as JSON."""

import platform
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from tests.bench.budgets import DATABASE, SERVER, Figures, Verdict

HEADINGS = (
    "clients",
    "processes",
    "per second",
    "p50 ms",
    "p99 ms",
    "server us",
    "PostgreSQL us",
    "generator",
)


def show(figures: Figures, verdicts: list[Verdict], console: Console) -> None:
    table = Table(title="CueBX, measured", title_justify="left", caption_justify="left")
    table.add_column("what")
    for heading in HEADINGS:
        table.add_column(heading, justify="right")
    for row in figures.rows:
        outcome = row.outcome
        spent = [
            f"{outcome.cpu_us(name):.0f}" if name in outcome.cpu_seconds else ""
            for name in (SERVER, DATABASE)
        ]
        table.add_row(
            row.name,
            str(row.clients),
            str(row.workers or ""),
            f"{outcome.rate:,.0f}",
            f"{outcome.p50_ms:.2f}",
            f"{outcome.p99_ms:.2f}",
            *spent,
            f"{outcome.generator_cpu:.2f}" if outcome.generator_cpu else "",
        )
    table.add_section()
    for verdict in verdicts:
        colour, word = ("green", "met") if verdict.met else ("red", "not met")
        table.add_row(
            verdict.budget, "", "", f"{verdict.measured:.3g}", verdict.bound, f"[{colour}]{word}[/{colour}]"
        )
    table.caption = (
        f"{machine()}. Server, PostgreSQL: CPU time per answer. Generator: cores in use, in a process of its"
        f" own; against a server that does nothing it comes to {figures.ceiling:,.0f} a second."
    )
    console.print(table)


def save(path: Path, figures: Figures, verdicts: list[Verdict]) -> None:
    facts = {"machine": machine(), "figures": figures, "budgets": verdicts}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(facts)) + b"\n")


def machine() -> str:
    """What the figures hold for."""
    memory, python = psutil.virtual_memory().total / 1e9, platform.python_version()
    return f"{psutil.cpu_count()} cores, {memory:.0f} GB, {platform.system()}, Python {python}"
