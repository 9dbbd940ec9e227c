import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from adapters.catalog_file.files import SAMPLE
from entrypoints.cli.catalog import catalog
from tests.conftest import TEMPLATE, renamed, run_sql


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Without any setting: nothing may need one that does not say so."""
    monkeypatch.delenv("CUEBX_DATABASE_URL", raising=False)
    return lambda *args: CliRunner().invoke(catalog, [str(each) for each in args])


@pytest.fixture
def run_on(embedded_server: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """On a database of its own. A command runs its own event loop, so this cannot be in one."""
    name = f"cuebx_{uuid4().hex}"
    asyncio.run(run_sql(embedded_server, f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}"))
    monkeypatch.setenv("CUEBX_DATABASE_URL", renamed(embedded_server, name))
    yield lambda *args: CliRunner().invoke(catalog, [str(each) for each in args])
    asyncio.run(run_sql(embedded_server, f"DROP DATABASE {name} WITH (FORCE)"))


def changed(folder: Path, old: str, new: str) -> Path:
    file = folder / "catalog.toml"
    file.write_text(SAMPLE.read_text().replace(old, new))
    return file


def outcomes(result: Result) -> dict[str, tuple[str, int]]:
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)
    return {f"{row['kind']} {row['key']}": (row["outcome"], row["version"]) for row in rows}


def test_a_catalog_in_order_is_said_to_be(run: Callable[..., Result]) -> None:
    result = run("check", SAMPLE)
    assert (result.exit_code, result.stdout) == (
        0,
        f"{SAMPLE} is in order: 2 products, 6 plans, 6 features\n",
    )


def test_every_fault_is_a_line_of_its_own(run: Callable[..., Result], tmp_path: Path) -> None:
    file = changed(tmp_path, 'currency = "USD"', "currency = 3")
    result = run("check", file)
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 9
    assert f"{file}:27: products.api.plans.free.currency: is an integer" in result.stdout
    assert result.stderr == f"Error: {file} has 9 faults\n"


def test_one_fault_is_not_faults(run: Callable[..., Result], tmp_path: Path) -> None:
    file = changed(tmp_path, '"499.00"', "499")
    assert run("check", file).stderr == f"Error: {file} has 1 fault\n"


@pytest.mark.parametrize("command", ["check", "publish"])
def test_a_file_that_cannot_be_read_is_one_line(
    run: Callable[..., Result], tmp_path: Path, command: str
) -> None:
    result = run(command, tmp_path)
    assert (result.exit_code, result.output) == (1, f"Error: {tmp_path}: is a directory\n")


def test_a_faulty_catalog_is_not_published(run: Callable[..., Result], tmp_path: Path) -> None:
    result = run("publish", changed(tmp_path, '"499.00"', "499"))
    assert result.exit_code == 1
    assert "has 1 fault" in result.output


def test_publishing_says_what_changes(run_on: Callable[..., Result], tmp_path: Path) -> None:
    first = outcomes(run_on("publish", SAMPLE, "--json"))
    assert len(first) == 14
    assert set(first.values()) == {("new", 1)}

    assert set(outcomes(run_on("publish", SAMPLE, "--json")).values()) == {("unchanged", 1)}

    file = changed(tmp_path, "[features.classify", "[features.sort")
    file.write_text(file.read_text().replace('"499.00"', '"599.00"'))
    foretold = outcomes(run_on("publish", file, "--dry-run", "--json"))
    assert outcomes(run_on("publish", file, "--json")) == foretold
    assert foretold["plan api/scale"] == ("changed", 2)
    assert foretold["feature sort"] == ("new", 1)
    assert foretold["feature classify"] == ("retired", 1)

    back = outcomes(run_on("publish", SAMPLE, "--json"))
    assert back["feature classify"] == ("restored", 1)
    assert back["plan api/scale"] == ("changed", 3)


def test_people_get_a_table_and_a_summary(run_on: Callable[..., Result]) -> None:
    result = run_on("publish", SAMPLE, "--dry-run")
    assert result.exit_code == 0
    assert "extract_keywords" in result.stdout
    assert result.stdout.endswith("14 new. Nothing was published: this was a dry run.\n")
    assert run_on("publish", SAMPLE).stdout.endswith("14 new.\n")
    assert run_on("publish", SAMPLE).stdout.endswith("14 unchanged.\n")


def test_a_database_that_is_away_is_one_line(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUEBX_DATABASE_URL", "postgresql://postgres@127.0.0.1:1/none")
    result = run("publish", SAMPLE)
    assert result.exit_code == 1
    assert result.output.startswith("Error: the database cannot be reached")
    assert len(result.output.splitlines()) == 1
