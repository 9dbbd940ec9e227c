import json
import shlex
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from tests.cli.processes import answers, command, finished, processes, served, started
from tests.servers import wait_for

FACTS = (
    *("url", "workspace_id", "account_id", "live_key", "test_key", "service_key", "database_url"),
    "stripe_url",
)
ADDRESSES = ("url", "stripe_url")
"""Facts that are others at each start."""


@dataclass(frozen=True)
class Dev:
    folder: Path
    process: subprocess.Popen[bytes]
    facts: dict[str, str]


def facts_of(data: Path) -> dict[str, str]:
    facts: dict[str, str] = json.loads((data / "dev.json").read_text())
    return facts


def up(data: Path) -> bool:
    return (data / "dev.json").exists() and answers(facts_of(data)["url"])


def bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("dev")


@pytest.fixture(scope="module")
def dev(folder: Path) -> Iterator[Dev]:
    """As somebody has it who runs it for the first time; in the end he presses Ctrl-C."""
    with started("dev", "--port", "0", folder=folder) as process:
        wait_for(lambda: process.poll() is not None or up(folder / ".cuebx"))
        assert process.poll() is None, (folder / "err").read_text()
        yield Dev(folder, process, facts_of(folder / ".cuebx"))
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert processes(str(folder)) == []


def test_the_facts_are_for_its_owner_alone(dev: Dev) -> None:
    file = dev.folder / ".cuebx" / "dev.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert tuple(dev.facts) == FACTS
    keys = ("cbx_live_", "cbx_test_", "cbx_svc_")
    prefixes = ("http://127.0.0.1:", "ws_", "acc_", *keys, "postgresql://", "http://127.0.0.1:")
    for name, prefix in zip(FACTS, prefixes, strict=True):
        assert dev.facts[name].startswith(prefix)


def test_it_says_all_of_them(dev: Dev) -> None:
    said = (dev.folder / "out").read_text()
    for each in dev.facts.values():
        assert each in said


def test_the_demo_has_a_million_credits_and_no_limits(dev: Dev) -> None:
    answer = httpx.get(f"{dev.facts['url']}/v1/balance", headers=bearer(dev.facts["live_key"]))
    assert answer.status_code == 200
    assert answer.json()["account_id"] == dev.facts["account_id"]
    assert answer.json()["available"] == "1000000"
    assert "ratelimit" not in answer.headers


def test_the_curl_that_it_prints_is_answered(dev: Dev) -> None:
    said = (dev.folder / "out").read_text()
    words = shlex.split(said[said.index("curl ") : said.index("Ctrl-C")])
    headers = [word for before, word in pairwise(words) if before == "-H"]
    answer = httpx.post(
        next(word for word in words if word.startswith("http")),
        headers=dict(header.split(": ", 1) for header in headers),
        content=words[words.index("-d") + 1],
    )
    assert answer.status_code == 200
    assert answer.json()["output"] == {"text": "Hello"}


def test_each_key_opens_what_it_is_for(dev: Dev) -> None:
    balance = f"{dev.facts['url']}/v1/balance"
    assert httpx.get(balance, headers=bearer(dev.facts["test_key"])).status_code == 200
    reserved = httpx.post(
        f"{dev.facts['url']}/v1/reservations",
        headers=bearer(dev.facts["service_key"]) | {"idempotency-key": "from-the-demo"},
        json={"account_id": dev.facts["account_id"], "feature": "echo", "estimate": {"input_tokens": 10}},
    )
    assert reserved.status_code == 201


def test_commands_find_its_database_by_themselves(dev: Dev, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(dev.folder)
    for name in ("CUEBX_DATABASE_URL", "CUEBX_DATA"):
        monkeypatch.delenv(name, raising=False)
    assert command("db", "check").output == "the database is up to date\n"
    assert command("audit").exit_code == 0
    assert command("doctor").exit_code == 0


def test_a_port_in_use_is_one_line_before_anything_is_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = finished("dev", "--port", port, folder=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: cannot serve on 127.0.0.1:{port}: address already in use;"
        " choose another with --port [cannot_listen]\n"
    )
    assert not (tmp_path / ".cuebx").exists()


def test_a_directory_in_use_is_one_line(dev: Dev) -> None:
    done = finished("dev", "--port", "0", folder=dev.folder)
    assert (done.returncode, done.stdout) == (1, "")
    assert f"is in use by process {dev.process.pid}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert answers(dev.facts["url"])


def test_the_data_of_another_version_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")
    done = finished("dev", "--port", "0", "--data", str(tmp_path), folder=tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "was made by PostgreSQL 16, and this is PostgreSQL 18" in done.stderr


def test_a_place_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    done = finished("dev", "--port", "0", "--data", "/proc/self/nothing", folder=tmp_path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "no database can be kept in /proc/self/nothing" in done.stderr


def test_a_bad_setting_is_one_line(tmp_path: Path) -> None:
    done = finished("dev", "--port", "0", folder=tmp_path, CUEBX_POOL_SIZE="many")
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "CUEBX_POOL_SIZE" in done.stderr


def test_later_starts_find_everything_and_a_reset_forgets_it(tmp_path: Path) -> None:
    data = tmp_path / "data"
    seen: list[dict[str, str]] = []

    def look() -> None:
        wait_for(lambda: up(data))
        seen.append(facts_of(data))
        answer = httpx.get(f"{seen[-1]['url']}/v1/balance", headers=bearer(seen[-1]["live_key"]))
        assert answer.json()["available"] == "1000000"

    def start(*options: str) -> dict[str, str]:
        assert served("dev", "--port", "0", "--data", str(data), *options, during=look).exit_code == 0
        assert processes(str(data)) == []
        return {name: value for name, value in seen[-1].items() if name not in ADDRESSES}

    first = start()
    assert start() == first

    (data / "dev.json").unlink()
    lost = start()
    assert lost["workspace_id"] != first["workspace_id"]

    (data / "stripe.json").write_text("this is no state")
    fresh = start("--reset")
    assert not set(fresh.values()) & {*lost.values(), *first.values()} - {fresh["database_url"]}


def test_told_to_stop_while_it_starts_it_stops(tmp_path: Path) -> None:
    with started("dev", "--port", "0", folder=tmp_path) as process:
        wait_for((tmp_path / ".cuebx" / "postgres.lock").exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert processes(str(tmp_path)) == []


def test_killed_it_takes_its_database_with_it_and_the_next_start_is_well(tmp_path: Path) -> None:
    with started("dev", "--port", "0", folder=tmp_path) as process:
        wait_for(lambda: up(tmp_path / ".cuebx"))
        facts = facts_of(tmp_path / ".cuebx")
        process.kill()
        process.wait()
        wait_for(lambda: processes(str(tmp_path)) == [])
    with started("dev", "--port", "0", folder=tmp_path) as process:
        wait_for(lambda: facts_of(tmp_path / ".cuebx")["url"] != facts["url"] and up(tmp_path / ".cuebx"))
        assert facts_of(tmp_path / ".cuebx") | {name: facts[name] for name in ADDRESSES} == facts
        process.terminate()
        assert process.wait(30) == 0
