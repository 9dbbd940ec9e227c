import asyncio
import os
import signal
import socket
from pathlib import Path

import httpx
import pytest

from migrations import schema
from tests.cli.processes import answers, command, processes, served, started
from tests.servers import wait_for


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def test_every_fault_of_the_settings_stops_it_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CUEBX_DATABASE_URL", "CUEBX_REDIS_URL", "CUEBX_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CUEBX_WORKERS", "none")
    result = command("serve")
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (1, "", 1)
    for name in ("CUEBX_DATABASE_URL", "CUEBX_REDIS_URL", "CUEBX_WORKERS"):
        assert name in result.stderr


def test_a_database_that_is_behind_stops_it(own_database: str, port: int) -> None:
    asyncio.run(schema.downgrade(own_database))
    result = command("serve", "--port", str(port))
    assert result.exit_code == 1
    assert result.stderr == (
        "Error: the database is behind this version: run `cuebx db upgrade` [schema_behind]\n"
    )


def test_a_port_in_use_stops_it(own_database: str) -> None:
    assert own_database
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = command("serve", "--port", str(taken.getsockname()[1]))
    assert result.exit_code == 1
    assert "address already in use" in result.stderr
    assert "names nobody" not in command("serve", "--host", "names.nobody.invalid").stderr


def test_one_process_serves_until_it_is_told_to_stop(
    own_database: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_database
    with socket.create_server(("127.0.0.1", 0)) as other:
        scrapes = int(other.getsockname()[1])
    monkeypatch.setenv("CUEBX_METRICS_PORT", str(scrapes))
    url = f"http://127.0.0.1:{port}"

    def look() -> None:
        wait_for(lambda: answers(url))
        assert httpx.get(f"{url}/health/ready").json()["status"] == "ready"
        assert "cuebx_http_requests" in httpx.get(f"http://127.0.0.1:{scrapes}/metrics").text

    result = served("serve", "--port", str(port), during=look)
    assert result.exit_code == 0, result.output
    assert f"CueBX serves on {url}" in result.stderr
    assert not answers(url)


def test_several_processes_share_a_port_and_replace_one_that_dies(
    own_database: str, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own_database
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    monkeypatch.setenv("PYTHONPYCACHEPREFIX", str(tmp_path.parent / "compiled"))
    url = f"http://127.0.0.1:{port}"

    def workers() -> list[int]:
        return processes(f"--port\0{port}\0--socket")

    def look() -> None:
        wait_for(lambda: len(workers()) == 2 and answers(url))
        killed = workers()[0]
        os.kill(killed, signal.SIGKILL)
        assert answers(url)
        wait_for(lambda: len(workers()) == 2 and killed not in workers())

    result = served("serve", "--port", str(port), "--workers", "2", during=look)
    assert result.exit_code == 0, result.output
    assert "ended with status -9, and is replaced" in result.stderr
    assert workers() == []


def test_processes_end_with_the_one_that_watches_them(own_database: str, port: int, tmp_path: Path) -> None:
    given = {"CUEBX_DATABASE_URL": own_database, "CUEBX_PROFILE": "embedded"}
    with started("serve", "--port", str(port), "--workers", "2", folder=tmp_path, **given) as process:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}"))
        process.kill()
        process.wait()
        wait_for(lambda: not processes(f"--port\0{port}"))
