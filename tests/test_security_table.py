"""The table of docs/security.md names every requirement, and tests that there are."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

REQUIRED = {
    "6.1": 3, "6.2": 12, "6.3": 4, "6.4": 4, "6.5": 5, "6.6": 3, "6.8": 4,
    "7.1": 3, "7.2": 4, "7.3": 2, "7.4": 5, "7.5": 2, "7.6": 2,
    "8.1": 2, "8.2": 3, "8.3": 1, "8.4": 1,
    "9.1": 3, "9.2": 4,
    "10.1": 2, "10.2": 2, "10.3": 4, "10.4": 11, "10.5": 5, "10.6": 2, "10.7": 3,
}  # fmt: skip
"""How many requirements of levels 1 and 2 each section of OWASP ASVS 5.0.0 begins with."""


def rows() -> Iterator[list[str]]:
    for line in Path("docs/security.md").read_text().splitlines():
        if re.match(r"\| \d+\.\d+\.\d+ \|", line):
            yield [each.strip() for each in line.strip("|").split("|")]


ROWS = list(rows())


def test_every_requirement_has_one_row() -> None:
    expected = [f"{section}.{at + 1}" for section, count in REQUIRED.items() for at in range(count)]
    assert [id for id, *_ in ROWS] == expected


@cache
def defined_in(file: str) -> frozenset[str]:
    tree = ast.parse(Path(file).read_text())
    return frozenset(
        each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_each_row_names_a_test_that_there_is_or_a_reason(row: list[str]) -> None:
    _, level, what, _, shown = row
    assert level in {"1", "2"}
    assert what
    if match := re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown):
        assert match[2] in defined_in(match[1])
    else:
        assert re.fullmatch(r"(n/a|not met): (as \d+\.\d+\.\d+|.{10,})", shown), shown
