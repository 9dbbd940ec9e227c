import json
from importlib.metadata import version
from pathlib import Path

from entrypoints.cli.main import main
from tests.cli.processes import command


def test_every_command_is_there_and_says_what_it_does() -> None:
    result = command("--help")
    assert result.exit_code == 0
    for name in main.list_commands(main.make_context("cuebx", ["--help"], resilient_parsing=True)):
        assert f"  {name} " in result.output
        assert command(name, "--help").exit_code == 0


def test_what_is_no_command_is_said_to_be_none() -> None:
    result = command("conquer")
    assert result.exit_code == 2
    assert "No such command 'conquer'" in result.output


def test_it_knows_its_version() -> None:
    assert version("cuebx") in command("--version").output


def test_the_openapi_document_needs_no_database(tmp_path: Path) -> None:
    document = json.loads(command("openapi").output)
    assert document["openapi"].startswith("3.1")
    assert "/v1/reservations" in document["paths"]
    file = tmp_path / "openapi.json"
    result = command("openapi", "--output", str(file))
    assert (result.exit_code, result.output) == (0, "")
    assert json.loads(file.read_text())["paths"].keys() == document["paths"].keys()
