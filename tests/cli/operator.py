"""What an operator types, and reads."""

import json
from collections.abc import Mapping
from typing import Any

from tests.cli.processes import command


def asked(*arguments: str) -> Any:  # noqa: ANN401 - JSON
    """The answer of a command that succeeds."""
    result = command(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*arguments: str) -> str:
    """The one line of a command that was understood and could not be done."""
    result = command(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    return line


def misused(*arguments: str) -> str:
    """What is wrong with a command, as its last line says."""
    result = command(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    usage, *_, fault = result.stderr.splitlines()
    assert usage.startswith("Usage: ")
    return fault


def made(plan: str = "api/scale", *options: str) -> Mapping[str, str]:
    """A new workspace."""
    row: Mapping[str, str] = asked("workspaces", "create", "Acme", "--plan", plan, *options)
    return row
