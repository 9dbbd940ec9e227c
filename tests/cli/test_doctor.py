import asyncio
import json
import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from adapters.catalog_file.files import SAMPLE
from migrations import schema
from tests.cli.processes import command
from tests.conftest import run_sql

Checks = dict[str, dict[str, object]]


def examined() -> tuple[int, Checks]:
    result = command("doctor", "--json")
    return result.exit_code, {each["name"]: each for each in json.loads(result.stdout)}


def test_all_is_well(own_database: str) -> None:
    assert own_database
    status, found = examined()
    assert status == 0
    assert set(found) == {"python", "disk", "settings", "database", "schema"}
    assert all(each["ok"] for each in found.values())
    assert str(found["database"]["detail"]).startswith("PostgreSQL 18")
    assert isinstance(found["database"]["latency_ms"], float)


def test_people_get_a_table(own_database: str) -> None:
    assert own_database
    result = command("doctor")
    assert result.exit_code == 0
    assert "PostgreSQL 18" in result.output


def test_without_settings_it_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CUEBX_DATABASE_URL", raising=False)
    status, found = examined()
    assert status == 1
    assert "CUEBX_DATABASE_URL is missing" in str(found["settings"]["detail"])
    assert "cuebx dev" in str(found["settings"]["mend"])


def test_what_is_away_is_told_with_how_to_mend_it(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "DATABASE_URL": "postgresql://127.0.0.1:1/nothing",
        "REDIS_URL": "redis://127.0.0.1:1/0",
        "MODEL_DEFAULT_URL": "http://127.0.0.1:1/v1",
        "MODEL_DEFAULT_NAME": "small-1",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"CUEBX_{name}", value)
    status, found = examined()
    assert status == 1
    for name in ("database", "redis", "schema", "model default"):
        assert found[name]["ok"] is False, name
        assert found[name]["mend"], name


def test_a_schema_that_is_behind_or_different_is_told(own_database: str) -> None:
    asyncio.run(run_sql(own_database, "ALTER TABLE run ADD COLUMN odd int"))
    status, found = examined()
    assert (status, found["schema"]["mend"]) == (1, "`cuebx db check` names them")
    asyncio.run(schema.downgrade(own_database))
    status, found = examined()
    assert (status, found["schema"]["mend"]) == (1, "run `cuebx db upgrade`")


class Refusing(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(401 if self.headers["authorization"] == "Bearer wrong" else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Not to the screen."""


@pytest.fixture
def models() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}/v1/"
        server.shutdown()


@pytest.mark.parametrize(("key", "ok"), [("right", True), ("wrong", False)])
def test_a_model_is_asked_with_its_key(
    own_database: str, models: str, key: str, *, ok: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_database
    for name, value in (("URL", models), ("NAME", "small-1"), ("KEY", key)):
        monkeypatch.setenv(f"CUEBX_MODEL_DEFAULT_{name}", value)
    status, found = examined()
    assert (status, found["model default"]["ok"]) == (0 if ok else 1, ok)
    assert ("CUEBX_MODEL_DEFAULT_KEY" in str(found["model default"]["mend"])) is not ok


def test_features_whose_model_is_not_set_are_named(
    own_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_database
    assert command("catalog", "publish", str(SAMPLE)).exit_code == 0
    monkeypatch.setenv("CUEBX_PROFILE", "standard")
    status, found = examined()
    assert (status, found["model default"]["needed"]) == (0, False)
    assert "summarize" in str(found["model default"]["detail"])


def test_an_alias_with_dots_and_dashes_is_told_by_the_variables_that_set_it(
    own_database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert own_database
    catalog = tmp_path / "catalog.toml"
    catalog.write_text(SAMPLE.read_text().replace('model = "default"', 'model = "gpt-4.1"'))
    assert command("catalog", "publish", str(catalog)).exit_code == 0
    monkeypatch.setenv("CUEBX_PROFILE", "standard")
    assert "CUEBX_MODEL_GPT_4_1_URL" in str(examined()[1]["model gpt-4.1"]["mend"])
    monkeypatch.setenv("CUEBX_MODEL_GPT_4_1_URL", "http://127.0.0.1:1/v1")
    monkeypatch.setenv("CUEBX_MODEL_GPT_4_1_NAME", "gpt-4.1")
    assert "model gpt-4.1" not in examined()[1]


def test_little_room_is_a_warning(own_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_database
    usage = namedtuple("usage", "total used free")  # noqa: PYI024 - as shutil has it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    status, found = examined()
    assert (status, found["disk"]["ok"], found["disk"]["needed"]) == (0, False, False)
