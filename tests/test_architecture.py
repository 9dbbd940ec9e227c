"""What the linter of imports cannot say."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import distributions, packages_distributions
from pathlib import Path

import pytest

PACKAGES = ("domain", "application", "adapters", "entrypoints", "migrations")
OURS = {*PACKAGES, "tests"}
LONGEST = 300  # lines


def sources(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from Path(folder).rglob("*.py")


def imported(file: Path) -> Iterator[str]:
    """The top-level packages that a file imports."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are absolute"
            yield str(node.module).split(".")[0]


def test_no_dependency_takes_one_of_our_names() -> None:
    """`entrypoints`, for one, is also a module on PyPI; it would shadow ours."""
    taken = {
        (Path(file.parts[0]).stem, distribution.name)
        for distribution in distributions()
        if distribution.name != "cuebx"
        for file in distribution.files or ()
    }
    assert not [each for each in taken if each[0] in OURS]


def canonical(distribution: str) -> str:
    """One spelling of its name, as PyPA's specification of name normalization has it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def test_what_is_imported_is_declared_and_not_only_brought_along_by_others() -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    declared = {canonical(re.split(r"[^\w.-]", each)[0]) for each in project["dependencies"]}
    names = {name for file in sources(*PACKAGES) for name in imported(file)}
    foreign = names - OURS - sys.stdlib_module_names
    providers = packages_distributions()
    assert not {name for name in foreign if declared.isdisjoint(map(canonical, providers[name]))}


def test_a_server_loads_no_client_of_what_it_has_not() -> None:
    """Those of Redis and of models are a quarter of its start, and a sixth of its memory."""
    loaded = "import sys, entrypoints.process; print(*sys.modules)"
    said = subprocess.run([sys.executable, "-c", loaded], check=True, capture_output=True, text=True)  # noqa: S603
    assert not {"redis", "aiohttp", "httpx", "apscheduler"} & set(said.stdout.split())


@pytest.mark.parametrize(
    ("layer", "known"), [("domain", {"domain"}), ("application", {"domain", "application"})]
)
def test_the_core_knows_itself_and_the_standard_library_only(layer: str, known: set[str]) -> None:
    allowed = known | sys.stdlib_module_names
    assert not {
        (str(file), name) for file in sources(layer) for name in imported(file) if name not in allowed
    }


def test_no_file_is_too_long_to_read_at_once() -> None:
    long = [file for file in sources(*PACKAGES) if len(file.read_text().splitlines()) > LONGEST]
    assert not long


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The names of what is shipped."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = os.environ.get("UV") or shutil.which("uv") or "uv"
    build = [uv, "build", "--wheel", "--quiet", "--out-dir", str(folder)]
    done = subprocess.run([*build, "--offline"], check=False, capture_output=True)  # noqa: S603 - our tool
    if done.returncode != 0:  # what builds it is not in uv's cache
        subprocess.run(build, check=True, capture_output=True)  # noqa: S603 - our tool
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as shipped:
        return set(shipped.namelist())


def test_all_that_is_ours_is_shipped_and_no_test(wheel: set[str]) -> None:
    for file in sources(*PACKAGES):
        assert str(file) in wheel
    assert not [name for name in wheel if name.startswith("tests/")]


@pytest.mark.parametrize(
    "name",
    [
        "adapters/catalog_file/sample.toml",
        "adapters/redis/limits.lua",
        "entrypoints/http/reference.html",
        "migrations/script.py.mako",
        "migrations/versions/m20261122_initial.py",
    ],
)
def test_what_is_read_at_run_time_is_shipped(wheel: set[str], name: str) -> None:
    assert name in wheel
