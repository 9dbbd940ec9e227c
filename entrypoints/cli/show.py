"""Answers of commands: a table for people, ``--json`` for programs."""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import click
from rich.console import Console
from rich.table import Table

as_json = click.option("--json", "as_json", is_flag=True, help="Answer as JSON, for programs.")


def _text(value: object) -> str:
    """Times as the HTTP interface writes them (RFC 3339)."""
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)


def as_line(row: Mapping[str, object]) -> str:
    """As JSON."""
    return json.dumps(row, default=_text)


def show(
    rows: Sequence[Mapping[str, object]],
    *,
    as_json: bool,
    empty: str,
    columns: Collection[str] | None = None,
) -> None:
    """All rows have the same members. People see those of ``columns``, where not all fit on a line."""
    if as_json:
        click.echo(json.dumps(rows, indent=2, default=_text))
        return
    if not rows:
        click.echo(empty)
        return
    names = [name for name in rows[0] if columns is None or name in columns]
    table = Table(*(name.replace("_", " ") for name in names))
    for row in rows:
        table.add_row(*("-" if row[name] is None else str(row[name]) for name in names))
    Console(width=None if Console().is_terminal else 200).print(table)


def show_one(row: Mapping[str, object], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(row, indent=2, default=_text))
        return
    width = max(map(len, row))
    for name, value in row.items():
        click.echo(f"{name.replace('_', ' '):{width}}  {'-' if value is None else value}")
